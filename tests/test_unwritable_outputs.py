"""Folders and disks that cannot be written, through the command line: one message, nothing half-written."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import tensorflow as tf

from mmrec.config import Config
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.modalities.image import tower as image
from mmrec.training.run_folder import RunFolder
from tests.jobs.worlds import MeanColour
from tests.spoilt import SpoiltShop, refusal, trained


@pytest.fixture
def shop(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(image, "Backbone", MeanColour)
    return SpoiltShop(tmp_path, photo)


@pytest.mark.parametrize("key", ["runs_dir", "saved_models_dir", "data.cache_dir"])
def test_a_file_in_the_way_of_an_output_folder_is_refused(shop, command, key):
    shop.photos()
    (shop.folder / "file").write_text("mine")
    shop.set(**{key.replace(".", "__"): str(shop.folder / "file" / "deep")})
    message = refusal(command, shop)
    assert f"{shop.folder / 'file' / 'deep'}" in message
    assert "cannot be written" in message
    assert f"Set `{key}` to a folder you may write to" in message
    assert (shop.folder / "file").read_text() == "mine"


@pytest.mark.parametrize(("folder", "key"), [("runs", "runs_dir"), ("models", "saved_models_dir")])
def test_a_read_only_output_folder_is_refused(shop, command, monkeypatch, folder, key):
    read_only, access = str(shop.folder / folder), os.access  # a superuser may write everywhere
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith(read_only) and access(path, mode))
    message = refusal(command, shop)
    assert f"{read_only}/groups" in message
    assert f"cannot be written. Set `{key}` to a folder you may write to" in message


def test_a_run_that_another_process_works_on_is_refused(shop, command):
    config = Config.load(shop.file())
    config = resolve(config, load_tables(config))
    with RunFolder.open(config, run_identity(config)) as run:
        message = refusal(command, shop)
    assert f"{run.path}: is in use by another process. Wait for it, or set another `name`" in message


def no_space(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_space_for_tensorflow(*_, **__):
    raise tf.errors.ResourceExhaustedError(None, None, f"part.tempstate: {os.strerror(errno.ENOSPC)}")


def half_a_version(module, path, **_):
    Path(path).mkdir()
    (Path(path) / "saved_model.pb").write_text("half")
    no_space_for_tensorflow()


def test_a_disk_that_is_full_in_the_cache_of_photos_leaves_nothing(shop, command, monkeypatch):
    shop.photos()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        message = refusal(command, shop)
    assert str(shop.folder / "cache" / "features-") in message
    assert "cannot be written (No space left on device). Free space there, or set `data.cache_dir`" in message
    assert trained(command, shop)["skipped"]["catalog"] == {}


@pytest.mark.parametrize(
    ("owner", "name", "fail", "place"),
    [
        (tf.train.CheckpointManager, "save", no_space_for_tensorflow, "runs/groups/2/checkpoints"),
        (Path, "write_text", no_space, "runs/groups/2/history.csv"),
    ],
)
def test_a_disk_that_is_full_before_the_first_checkpoint_leaves_no_run(
    shop, command, monkeypatch, owner, name, fail, place
):
    path, good = shop.file(), getattr(owner, name)

    def write(self, *arguments, **options):
        late = owner is tf.train.CheckpointManager or "history.csv" in str(self)
        return (fail if late else good)(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, write)
        message = refusal(command, shop, path)
    assert str(shop.folder / place) in message
    assert "cannot be written (No space left on device). Free space there, or set `runs_dir`" in message


@pytest.mark.parametrize(
    ("owner", "name", "fail"),
    [
        pytest.param(tf.saved_model, "save", half_a_version, marks=pytest.mark.slow),
        (pd.DataFrame, "to_parquet", no_space),
    ],
)
def test_a_disk_that_is_full_in_the_export_leaves_the_run_to_be_continued(
    shop, command, monkeypatch, owner, name, fail
):
    path, before = shop.file(), shop.left()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail)
        code, _, errors = command("train", path)
    assert code == 2
    assert "Traceback" not in errors
    message = errors.splitlines()[-1]
    assert f"error: {shop.folder / 'models' / 'groups'}: cannot be written (No space left on device)" in message
    assert "Free space there, or set `saved_models_dir`" in message
    after = shop.left()
    assert {name: after[name] for name in before} == before
    assert all(name.startswith("runs/groups/2") for name in set(after) - set(before))
    assert "runs/groups/2/metrics.json" not in after
    code, _, errors = command("train", path)
    assert code == 0
    assert "after epoch 1" in errors
    assert sorted(one.name for one in (shop.folder / "models" / "groups").iterdir()) == [".lock", "1", "2"]


def test_a_disk_that_really_takes_no_more_is_one_message(shop):
    path, before = shop.file(), shop.left()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # bytes: the config is smaller, the weights are not

    done = subprocess.run(
        [sys.executable, "-m", "mmrec", "train", str(path)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "runs/groups/2/checkpoints: cannot be written (File too large). Free space there" in done.stderr
    assert shop.left() == before
