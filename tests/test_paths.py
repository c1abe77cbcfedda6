"""Folders whose names TensorFlow would read as a pattern are used through a link."""

import tempfile

import pytest

import mmrec
from mmrec.export.saved_model import write_version
from mmrec.paths import literal_folder
from tests.export.small import small_version

ODD = "[shop] a\\b*?{x}"


def test_an_ordinary_folder_is_passed_as_it_is(tmp_path):
    with literal_folder(tmp_path) as folder:
        assert folder is tmp_path


@pytest.mark.parametrize("name", ["[shop]", "a\\b", "a*", "a?", ODD])
def test_another_is_passed_through_a_link_that_is_gone_afterwards(tmp_path, name):
    (tmp_path / name).mkdir()
    with literal_folder(tmp_path / name) as folder:
        (folder / "file").write_text("kept")
        assert not set("[*?\\") & set(str(folder))
    assert (tmp_path / name / "file").read_text() == "kept"
    assert not folder.parent.exists()


def test_a_relative_folder_is_that_of_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ODD / "in").mkdir(parents=True)
    with literal_folder((tmp_path / ODD / "in").relative_to(tmp_path)) as folder:
        assert folder.samefile(tmp_path / ODD / "in")


def test_without_a_place_for_the_link_the_folder_is_refused_with_the_remedy(tmp_path, monkeypatch):
    (tmp_path / ODD).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ODD))
    refusal = pytest.raises(mmrec.InputError, match=r"TensorFlow takes the `\[`.*environment variable TMPDIR")
    with refusal, literal_folder(tmp_path / ODD):
        pass
    assert list((tmp_path / ODD).iterdir()) == []


@pytest.mark.slow
def test_an_export_is_written_checked_and_loaded_there(tmp_path, monkeypatch):
    written = write_version(tmp_path / ODD, *small_version())
    assert written == tmp_path / ODD / "1"
    monkeypatch.chdir(tmp_path / ODD)
    for place in (written, "1"):
        assert mmrec.load(place).recommend([["a"]], k=1).item_ids.shape == (1, 1)
