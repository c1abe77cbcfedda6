"""Settings and fixtures that all tests share; the settings come before anything loads TensorFlow."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import io
import subprocess
import sys

import pytest

from mmrec.process import use_keras_2

use_keras_2()


@pytest.fixture(scope="session")
def photo():
    """Returns `photo(colour, size=8)`: the bytes of a PNG of one colour."""
    from PIL import Image

    def encode(colour, size=8):
        file = io.BytesIO()
        Image.new("RGB", (size, size), colour).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def python():
    """Returns `python(code, **environment)`: runs code in a fresh interpreter; gives (exit code, stdout, stderr)."""

    def run(code, **environment):
        inherited = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=inherited | environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def command(monkeypatch, capfd):
    """Returns `command(*arguments)`: runs `mmrec` here; gives (exit code, stdout, stderr)."""
    import mmrec.cli

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mmrec", *map(str, arguments)])
        capfd.readouterr()
        try:
            mmrec.cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capfd.readouterr()

    return run


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory):
    """A model of every modality, trained once on the tiny sample shop and exported; see `tests.shop.TinyExport`."""
    from tests.shop import train_tiny_export

    return train_tiny_export(tmp_path_factory.mktemp("shop"))
