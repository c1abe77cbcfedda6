"""Modules of a user's own project, which a command finds and its process forgets."""

import importlib
import subprocess
import sys

import pytest
import yaml

import mmrec

TOWER = """
from mmrec.towers.history import HISTORY_TOWERS

class Mine(HISTORY_TOWERS["mean"]):
    pass
"""


@pytest.fixture
def project(tmp_path, tiny_export, monkeypatch):
    """A folder with a module of the user's own, and another with a config that names a class in it."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "my_towers_of_this_test.py").write_text(TOWER)
    (tmp_path / "elsewhere").mkdir()
    values = yaml.safe_load((tiny_export.shop / "config.yaml").read_text())
    values["query"] = {"history": "my_towers_of_this_test:Mine"}
    for table in ("catalog", "interactions"):
        values["data"][table]["path"] = str(tiny_export.shop / f"{table}.csv")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path / "elsewhere")
    yield tmp_path
    sys.modules.pop("my_towers_of_this_test", None)


@pytest.fixture
def imports(monkeypatch):
    """Replaces training: it only imports the class, as training would; the list of what it imported."""
    imported = []

    def train(config):
        module, _, name = config.query.history.partition(":")
        imported.append(getattr(importlib.import_module(module), name))
        raise mmrec.InputError("enough")

    monkeypatch.setattr(mmrec, "train", train)
    return imported


def test_a_class_is_imported_from_the_app_dir_and_the_path_is_as_before(project, imports, command):
    before = list(sys.path)
    code, _, errors = command("--app-dir", project / "app", "train", project / "config.yaml")
    assert (code, errors.splitlines()[-1]) == (2, "error: enough")
    assert [one.__name__ for one in imports] == ["Mine"]
    assert sys.path == before


def test_without_it_the_class_is_looked_for_in_the_working_directory(project, imports, command, monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="my_towers_of_this_test"):
        command("train", project / "config.yaml")
    monkeypatch.chdir(project / "app")
    code, _, _ = command("train", project / "config.yaml")
    assert (code, len(imports)) == (2, 1)


def test_an_app_dir_that_is_no_folder_is_bad_usage(project, command, monkeypatch):
    monkeypatch.chdir(project)  # a long path would be broken into lines
    code, out, errors = command("--app-dir", "nowhere", "train", "config.yaml")
    assert (code, out) == (2, "")
    assert "nowhere" in errors


@pytest.mark.slow
def test_the_installed_command_trains_with_a_class_of_the_app_dir(project):
    arguments = ["--app-dir", str(project / "app"), "train", str(project / "config.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "mmrec", *arguments, "--set", "training.epochs=1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ndcg@10" in done.stdout
