"""The package as users install it: a wheel, in an environment that has no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


def run(*command, folder, **environment):
    """Runs a command that must succeed, outside the checkout; returns what it writes to stdout."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TF_USE_LEGACY_KERAS")}
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=inherited | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of what git would hand out."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    shutil.copytree(ROOT / "mmrec", tree / "mmrec", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, tree, folder=folder)
    (built,) = folder.glob("mmrec-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel, and beside it the dependencies of this one; its folder of programs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    options = ("--no-deps", "--no-index", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", programs / "python", "install", *options, wheel, folder=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth file is searched, but the .pth files in it are not read: an editable mmrec there is not seen.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for path in (ROOT / "mmrec").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert packed == {path.relative_to(ROOT).as_posix() for path in files}
    assert {"mmrec/py.typed", "mmrec/__init__.pyi", "mmrec/cli/app.py", "mmrec/modalities/text/tower.py"} <= packed


def test_the_environment_imports_the_wheel_and_not_the_checkout(installed, tmp_path):
    code = "import mmrec, pandas; print(mmrec.__file__); print(mmrec.train.__name__)"
    file, name = run(installed / "python", "-c", code, folder=tmp_path).splitlines()
    assert Path(file).is_relative_to(installed.parent)
    assert name == "train"


def test_sample_train_and_recommend_run_outside_the_checkout(installed, tmp_path):
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "TFDS_DATA_DIR": str(tmp_path / "tfds")}

    def mmrec(*arguments):
        return run(installed / "mmrec", *arguments, folder=tmp_path, **environment)

    assert mmrec("--version").strip()
    mmrec("sample", "shop", "--size", "tiny")
    assert "ndcg@10" in mmrec("train", "shop/config.yaml", "--set", "training.epochs=1")
    item = pd.read_csv(tmp_path / "shop" / "catalog.csv", dtype=str)["item_id"][0]
    answers = mmrec("recommend", "saved_models/sample_shop/1", "--history", item, "-k", 3).splitlines()
    assert len(answers) == 3
    assert not any(item in line.split() for line in answers)
