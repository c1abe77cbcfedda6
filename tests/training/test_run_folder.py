import json
import os

import pandas as pd
import pytest

from mmrec.config import Config
from mmrec.data.frames import config_with_frames
from mmrec.errors import InputError
from mmrec.training.run_folder import RunFolder, writable_folder


@pytest.fixture
def config(tmp_path):
    return Config(name="shop", runs_dir=str(tmp_path / "runs"))


def open_and_leave(config, identity, finish=False, checkpoint=True):
    with RunFolder.open(config, identity) as run:
        if checkpoint:
            (run.checkpoints / "last").mkdir(exist_ok=True)
            (run.checkpoints / "last" / "checkpoint").touch()
        if finish:
            run.write_metrics({"test": {"mrr": 0.5}})
    return run


def test_the_first_run_is_number_1_and_holds_its_config(config, tmp_path):
    run = open_and_leave(config, "a")
    assert run.path == tmp_path / "runs" / "shop" / "1"
    assert run.checkpoints.is_dir()
    assert run.logs.is_dir()
    assert Config.load(run.path / "config.yaml") == config


def test_tables_that_were_frames_are_kept_in_the_folder(config):
    data = {"catalog": pd.DataFrame({"item_id": ["a"]}), "interactions": pd.DataFrame({"user_id": ["u"]})}
    with config_with_frames(config, {"data": data, "item.modalities": ["item_id"]}) as plain:
        first = open_and_leave(plain, "a")
    kept = first.config
    assert kept.data.catalog.path == str(first.path / "catalog.frame.parquet")
    assert pd.read_parquet(kept.data.interactions.path).to_dict("list") == {"user_id": ["u"]}
    assert open_and_leave(kept, "a").config == kept  # continued by its own config
    second = open_and_leave(kept, "b")
    assert second.config.data.catalog.path == str(second.path / "catalog.frame.parquet")
    assert pd.read_parquet(second.config.data.catalog.path).to_dict("list") == {"item_id": ["a"]}


def test_an_unfinished_run_of_the_same_config_and_data_is_continued(config):
    assert open_and_leave(config, "a").path == open_and_leave(config, "a").path


def test_a_finished_run_is_never_touched_again(config):
    first = open_and_leave(config, "a", finish=True)
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*")}
    second = open_and_leave(config, "a")
    assert (first.path.name, second.path.name) == ("1", "2")
    assert {path: path.stat().st_mtime_ns for path in first.path.rglob("*")} == before


def test_another_config_or_other_data_start_another_run_and_an_unfinished_one_continues(config):
    assert [open_and_leave(config, identity).path.name for identity in "abac"] == ["1", "2", "1", "3"]


def test_without_resume_each_start_is_another_run(config):
    fresh = Config.load(config, training={"resume": False})
    assert [open_and_leave(fresh, "a").path.name for _ in range(2)] == ["1", "2"]


def test_numbers_go_on_after_the_largest_and_other_names_are_left_alone(config, tmp_path):
    for name in ("9", "10", "notes", "²"):
        (tmp_path / "runs" / "shop" / name / "mine").mkdir(parents=True)
    assert open_and_leave(config, "a").path.name == "11"
    assert (tmp_path / "runs" / "shop" / "10" / "mine").is_dir()


def test_metrics_finish_a_run(config):
    run = open_and_leave(config, "a")
    assert not run.finished
    run.write_metrics({"test": {"mrr": 0.25}})
    assert run.finished
    assert json.loads(run.metrics.read_text()) == {"test": {"mrr": 0.25}}


def test_a_run_that_another_process_works_on_is_refused(config, python):
    with RunFolder.open(config, "a") as run:
        code = (
            "from mmrec.config import Config; from mmrec.training.run_folder import RunFolder\n"
            f"RunFolder.open(Config(name='shop', runs_dir={config.runs_dir!r}), 'a').__enter__()"
        )
        status, _, said = python(code)
        assert status == 1
        assert f"InputError: {run.path}: is in use by another process." in said
        assert (run.path / "identity").read_text() == "a"
    open_and_leave(config, "a")  # free again


def test_a_process_with_another_config_gets_a_run_of_its_own(config):
    with RunFolder.open(config, "a"):
        assert open_and_leave(config, "b").path.name == "2"


def test_a_new_run_that_is_refused_leaves_no_folder(config, tmp_path):
    with pytest.raises(InputError, match="bad weights"), RunFolder.open(config, "a"):
        raise InputError("bad weights")
    assert list((tmp_path / "runs" / "shop").iterdir()) == []


def test_a_run_with_checkpoints_outlives_an_input_error(config):
    run = open_and_leave(config, "a")
    with pytest.raises(InputError), RunFolder.open(config, "a"):
        raise InputError("the disk of the export")
    assert run.path.is_dir()


def test_half_a_checkpoint_is_none(config, tmp_path):
    # Regression: a disk that was full during the first checkpoint left a run without one.
    with RunFolder.open(config, "a") as run:
        (run.checkpoints / "best" / "ckpt-1_temp").mkdir(parents=True)
    with pytest.raises(InputError), RunFolder.open(config, "a"):
        raise InputError("the disk is full")
    assert list((tmp_path / "runs" / "shop").iterdir()) == []


# The steps of `open` before a run has its identity, named after what a killed process was about to do.
@pytest.mark.parametrize(
    ("place", "call"),
    [
        ("Path.mkdir", 3),
        ("Path.mkdir", 4),
        ("fcntl.flock", 1),
        *(("Path.replace", call) for call in (1, 2, 3)),
    ],
)
def test_a_folder_whose_process_was_killed_before_it_was_a_run_is_taken_by_the_next(
    config, tmp_path, python, place, call
):
    code = f"""
import fcntl, os, signal
from pathlib import Path
from mmrec.config import Config
from mmrec.training import run_folder
from mmrec.training.run_folder import RunFolder
good, calls = {place}, []
def trapped(self, *arguments, **options):
    calls.append(self)
    if len(calls) == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return good(self, *arguments, **options)
{place} = trapped
RunFolder.open(Config(name="shop", runs_dir={config.runs_dir!r}), "a").__enter__()
"""
    parent = tmp_path / "runs" / "shop"
    parent.mkdir(parents=True)
    assert python(code)[0] == -9
    assert [child.name for child in parent.iterdir()] == ["1"]
    run = open_and_leave(config, "b")
    assert run.path.name == "1"
    assert run.belongs_to("b")
    assert Config.load(run.path / "config.yaml") == config
    assert open_and_leave(config, "c").path.name == "2"  # it is a run now


def test_each_run_has_a_key_of_its_own_that_it_keeps(config):
    first = open_and_leave(config, "a")
    assert open_and_leave(config, "a").key == first.key
    assert open_and_leave(config, "b").key != first.key
    assert len(first.key) == 16


def test_a_crash_keeps_the_run_for_its_resume(config):
    with pytest.raises(RuntimeError), RunFolder.open(config, "a") as run:
        raise RuntimeError
    assert open_and_leave(config, "a").path == run.path


def test_a_runs_dir_that_cannot_be_written_is_refused_by_its_key(tmp_path):
    (tmp_path / "file").write_text("")
    config = Config(name="shop", runs_dir=str(tmp_path / "file" / "runs"))
    with pytest.raises(InputError, match=r"shop: cannot be written\. Set `runs_dir` to a folder"):
        open_and_leave(config, "a")


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a superuser may write everywhere
    with pytest.raises(InputError, match=r"cannot be written\. Set `saved_models_dir`"):
        writable_folder(tmp_path, "saved_models_dir")


def test_an_unreadable_file_within_a_run_is_not_blamed_on_the_run_folder(config):
    # Regression: any PermissionError in training was reported as an unwritable `runs_dir`.
    with pytest.raises(PermissionError), RunFolder.open(config, "a"):
        raise PermissionError(13, "Permission denied", "photo.jpg")
