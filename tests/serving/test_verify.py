"""A version that is not as it was exported is not loaded."""

import json
import shutil
from itertools import product

import pandas as pd
import pytest

import mmrec
from mmrec.export.saved_model import write_version
from mmrec.serving.verify import read_manifest, verify_files
from tests.export.small import small_version

VARIABLES = "variables/variables.data-00000-of-00001"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_version(tmp_path_factory.mktemp("small"), *small_version())


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of a version, to be spoilt."""
    return shutil.copytree(whole, tmp_path / "1")


def refusal(folder):
    with pytest.raises(mmrec.InputError) as error:
        mmrec.load(folder)
    return str(error.value)


def test_a_whole_version_passes(copy):
    verify_files(copy, read_manifest(copy)["sha256"])


@pytest.mark.parametrize("file", ["saved_model.pb", VARIABLES, "mmrec/items.parquet", "mmrec/requests/similar.json"])
def test_a_missing_file_is_named(copy, file):
    (copy / file).unlink()
    message = refusal(copy)
    assert message == (
        f"{copy}: is not a whole export ({file}: No such file or directory). Copy the version again, or export anew."
    )


@pytest.mark.parametrize("kept", [0, -1])
@pytest.mark.parametrize("added", [b"", b"another end"])
def test_a_truncated_or_changed_file_is_named_with_a_remedy(copy, kept, added):
    path = copy / VARIABLES
    path.write_bytes(path.read_bytes()[:kept] + added)
    message = refusal(copy)
    assert message.startswith(f"{path}: is not as it was exported: its sha256 must be ")
    assert message.endswith("Copy the version again, or export anew, or load it as it is with `verify=False`.")


@pytest.mark.parametrize("file", ["saved_model.pbtxt", "variables/more", "assets/deep/down", "assets.extra/other"])
def test_a_foreign_file_that_tensorflow_might_read_is_named(copy, file):
    (copy / file).parent.mkdir(parents=True, exist_ok=True)
    (copy / file).write_text("")
    assert refusal(copy).startswith(f"{copy / file}: was not exported, and TensorFlow might read it. Remove it")


def test_files_that_the_user_added_are_allowed(copy):
    (copy / "NOTES.txt").write_text("ours")
    (copy / "mmrec/.DS_Store").write_text("theirs")
    verify_files(copy, read_manifest(copy)["sha256"])


def test_a_changed_version_loads_when_that_is_asked_for(copy):
    manifest = json.loads((copy / "mmrec/manifest.json").read_text())
    manifest["metrics"] = {"test": "ours"}
    (copy / "mmrec/manifest.json").write_text(json.dumps(manifest))
    assert mmrec.load(copy).signatures
    (copy / "mmrec/README.md").write_text("our own page")
    assert refusal(copy).startswith(f"{copy / 'mmrec/README.md'}: is not as it was exported")
    assert mmrec.load(copy, verify=False).signatures


@pytest.mark.parametrize("change", [{"format_version": "2"}, {"format_version": None}, {"config": None}])
def test_a_manifest_of_wrong_types_is_no_export(copy, change):
    path = copy / "mmrec" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert "is not an export of mmrec" in refusal(copy)


def test_a_folder_of_versions_or_an_absent_version_is_shown_the_latest(copy, tmp_path):
    shop = tmp_path / "shop"
    for version in (2, 10):
        shutil.copytree(copy / "mmrec", shop / str(version) / "mmrec")
    (shop / "notes").mkdir()
    assert refusal(shop).endswith(f"This folder holds versions 2, 10: give {shop / '10'}.")
    assert refusal(shop / "3").endswith(f"{shop} holds versions 2, 10: give {shop / '10'}.")
    assert refusal(tmp_path / "a" / "b").endswith("Give the version folder, saved_models/<name>/<version>.")
    assert refusal("a\0b").endswith("Give the version folder, saved_models/<name>/<version>.")


READ = ["saved_model.pb", "variables/variables.index", VARIABLES, "mmrec/items.parquet", "fingerprint.pb"]


@pytest.mark.parametrize(("file", "kept"), [*product(READ, (1, -1)), *product(READ[:-1], (0,))])
def test_a_cut_file_that_is_loaded_unverified_is_named_with_the_remedy(copy, file, kept):
    path = copy / file
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(mmrec.InputError) as error:
        mmrec.load(copy, verify=False)
    assert str(error.value).startswith(f"{path}: is not as it was exported, and cannot be loaded (")
    assert str(error.value).endswith("). Copy the version again, or export anew.")


@pytest.mark.parametrize("file", READ[:-1])
def test_a_file_that_an_unverified_version_lacks_is_named(copy, file):
    (copy / file).unlink()
    with pytest.raises(mmrec.InputError) as error:
        mmrec.load(copy, verify=False)
    assert str(error.value).startswith(f"{copy}: is not a whole export ({file}: No such file or directory).")


def test_a_table_of_items_that_is_another_table_is_named(copy):
    pd.DataFrame({"title": ["A"]}).to_parquet(copy / "mmrec/items.parquet")
    with pytest.raises(mmrec.InputError, match=r"items.parquet: is not as it was exported.*lacks a column"):
        mmrec.load(copy, verify=False)


@pytest.mark.parametrize("act", [mmrec.load, mmrec.evaluate, lambda path: mmrec.refresh(path, "items.csv")])
def test_a_path_with_a_null_character_is_no_export(act):
    with pytest.raises(mmrec.InputError, match="is not an export of mmrec"):
        act("saved\0models/1")
