"""Imports go one way, and `import mmrec` is quick."""

import ast
from pathlib import Path

import pytest

import mmrec
from mmrec.modalities.names import MODALITIES

PACKAGE = Path(mmrec.__file__).parent
# ARCHITECTURE: a layer may import the foundation, itself, and what stands here; `data.numbers` is that module alone.
FOUNDATION = {
    "allocator",
    "csv_files",
    "date_times",
    "errors",
    "locks",
    "manifest",
    "paths",
    "process",
    "progress",
    "registry",
    "schema",
    "seeded",
    "table_files",
    "traced",
    "values",
    "vectors",
    "version",
}
FOUNDATION_MAY_IMPORT = {
    "csv_files": {"errors", "table_files"},
    "manifest": {"schema"},
    "date_times": {"config.data"},
    "locks": {"errors"},
    "paths": {"errors"},
    "process": {"errors"},
    "registry": {"errors"},
    "table_files": {"errors"},
    "values": {"vectors"},
}
SECTIONS = {f"modalities.{name}.config" for name in MODALITIES}
_MODEL = {"config", "preprocess", "data", "modalities", "towers", "models", "training", "index", "evaluation", "export"}
_JOBS = _MODEL | {"after_training", "serving"}
_PACKAGES = {"scoring", "checking", "comparing", "tuning", "refreshing", "reports"}
MAY_IMPORT = {
    "config": {*SECTIONS, "modalities.names"},
    "preprocess": {"config", *SECTIONS},
    "data": {"config", "preprocess"},
    "modalities": {"config", "preprocess", "data"},
    "towers": {"config", "preprocess", "modalities.modality", "modalities.reader"},
    "index": {"config", "preprocess"},
    "models": {"config", "towers", "data.examples", "data.shop_tables"},
    "training": {"config", "models", "data", "index.item_table"},
    "evaluation": {"data", "index"},
    "after_training": _MODEL - {"export", "index"} | {"index.item_table"},
    "export": {"config", "models", "index", "preprocess", "modalities.reader", "modalities.attributes.reader"},
    "serving": {"preprocess"},
    "scoring": {"serving", "evaluation", "data.numbers", "data.times"},
    "comparing": {"serving", "evaluation", "scoring", "training"},
    "reports": {"serving", "evaluation", "checking", "data.findings"},
    "refreshing": _JOBS | {"scoring"},
    "jobs": _JOBS | {"refreshing", "scoring"},
    "checking": _JOBS | {"jobs", "scoring"},
    "tuning": _JOBS | {"jobs"},
    "cli": {"config", "serving", "jobs", *_PACKAGES},
    "__main__": {"cli"},
    "__init__": {"config", "data", "serving", "jobs", *_PACKAGES},
}


def imported(source):
    """Lists our modules that a source imports, as dotted names below `mmrec`, local imports included."""
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path"
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name.removeprefix("mmrec.") for name in modules if name.startswith("mmrec.")]


def forbidden(layer, names):
    """Returns those of the imported names that the layer may not use."""
    if layer in FOUNDATION:
        allowed = FOUNDATION_MAY_IMPORT.get(layer, set())
    else:
        allowed = FOUNDATION | MAY_IMPORT[layer] | {layer}
    return [name for name in names if not any(f"{name}.".startswith(f"{one}.") for one in allowed)]


def layer_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_what_stands_below_it(path):
    assert layer_of(path) in MAY_IMPORT | dict.fromkeys(FOUNDATION), "a new layer needs its place in this table"
    assert forbidden(layer_of(path), imported(path.read_text(encoding="utf-8"))) == []


def test_modalities_do_not_know_each_other_and_little_else_knows_a_single_one():
    knows = {}
    for path in PACKAGE.rglob("*.py"):
        folder = path.relative_to(PACKAGE).parent.as_posix()
        for name in imported(path.read_text(encoding="utf-8")):
            one = name.split(".")[1] if name.startswith("modalities.") else ""
            if one in MODALITIES and folder != f"modalities/{one}" and not name.startswith(f"modalities.{one}.config."):
                knows.setdefault(folder, set()).add(one)
    # What a frozen network makes of texts is read as ready-made vectors are; users have attributes, as items do.
    assert knows == {"modalities/text": {"features"}, "jobs": {"attributes"}, "export": {"attributes"}}


def test_the_check_sees_every_kind_of_forbidden_import():
    source = """
from mmrec import jobs
import mmrec.modalities.image.tower as image
def late():
    from mmrec.data.catalog import Catalog
from mmrec.modalities.reader import Reader
from mmrec.database import anything
import mmrec, numpy
"""
    names = imported(source)
    assert set(forbidden("index", names)) == {
        "jobs",
        "modalities.image.tower",
        "data.catalog.Catalog",
        "modalities.reader.Reader",
        "database.anything",
    }
    assert forbidden("towers", ["towers.fusion.X", "config.Config", "data.ragged.X"]) == ["data.ragged.X"]
    assert forbidden("schema", ["config.Config"]) == ["config.Config"]


def test_only_the_entry_points_name_jobs():
    for path in PACKAGE.rglob("*.py"):
        if layer_of(path) not in ("__init__", "cli", "jobs", "checking", "tuning"):
            assert "mmrec.jobs" not in path.read_text(encoding="utf-8"), path


def test_importing_mmrec_loads_neither_tensorflow_nor_pandas_and_changes_no_environment(python):
    code = """
import os, sys
before = dict(os.environ)
import mmrec
print(*sorted({'tensorflow', 'pandas', 'tf_keras', 'keras'} & set(sys.modules)), dict(os.environ) == before)
"""
    assert python(code) == (0, "True\n", "")


def test_every_public_name_is_there():
    assert "train" in mmrec.__all__
    assert len(set(mmrec.__all__)) == len(mmrec.__all__)
    for name in mmrec.__all__:
        assert getattr(mmrec, name) is not None
    assert set(mmrec.__all__) <= set(dir(mmrec))
    assert mmrec.__version__.count(".") == 2


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mmrec' has no attribute 'trian'"):
        mmrec.trian  # noqa: B018
