"""No modality is spelt outside its folder and the one list, so adding one edits nothing else."""

import ast
from pathlib import Path

import pytest

import mmrec
from mmrec.modalities.names import MODALITIES

PACKAGE = Path(mmrec.__file__).parent
EXCEPTIONS = {  # (file, literal): why it is not the modality's name, or may be spelt there
    ("schema.py", "item_id"): "the column and input of ids, which every export has",
    ("schema.py", "text"): "a kind of field",
    ("schema.py", "attributes"): "the signature of heads",
    ("modalities/image/modality.py", "features"): "the kind of a cache; its folders of before stay in use",
    ("serving/recommender.py", "text"): "an argument of the client",
    ("serving/recommender.py", "image"): "an argument of the client",
    ("serving/recommender.py", "audio"): "an argument of the client",
}
ELSEWHERE = (  # earlier exports are read by these names; the sample shop has its own columns
    "data/sample_shop/",
    "serving/earlier.py",
)


def spelt(source, names):
    """Yields (line, literal) of the string literals in a source that equal one of the names; except docstrings."""
    tree = ast.parse(source)
    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in names and id(node) not in texts:
            yield node.lineno, node.value


def names_in(path):
    name = path.relative_to(PACKAGE).as_posix()
    if name == "modalities/names.py" or name.startswith(ELSEWHERE):
        return []
    own = {one for one in MODALITIES if name.startswith(f"modalities/{one}/")}
    places = spelt(path.read_text(encoding="utf-8"), set(MODALITIES) - own)
    return [(name, line, text) for line, text in places if (name, text) not in EXCEPTIONS]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_modality_is_spelt_outside_its_folder_and_the_list(path):
    assert names_in(path) == []


def test_the_check_sees_literals_of_every_kind_and_no_docstring():
    source = '"""text"""\ndef f(kind="image"):\n    "audio"\n    return {"text": kind == f"{kind}"}, ["textual"]\n'
    assert list(spelt(source, {"text", "image", "audio"})) == [(2, "image"), (4, "text")]


def test_the_exceptions_are_needed():
    for name, text in EXCEPTIONS:
        if not name.startswith("serving/"):  # where the client's arguments come with the search
            assert text in [one for _, one in spelt((PACKAGE / name).read_text(encoding="utf-8"), {text})], name
