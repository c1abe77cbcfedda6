"""Tests searches on the planted shop: how trials run, stop and continue, and which spaces are refused."""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import mmrec
import mmrec.tuning.tune as job
from mmrec.config import Config
from mmrec.errors import InputError, TrainingError
from mmrec.training.pruning import Pruning
from tests.jobs.worlds import write_groups

SPACE = {
    "training.learning_rate": {"low": 1e-5, "high": 0.03, "log": True},
    "item.modalities": [["item_id"], ["text", "item_id"]],
}


@dataclass
class Search:
    """A finished search and its config."""

    config: dict
    result: mmrec.TuneResult

    @property
    def folder(self):
        return self.result.trials.parent


def rows(path):
    """Returns the rows of a table as dicts, without the column of seconds."""
    with open(path, newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Three trials of one epoch, and the training of the best, each with neighbours beside the towers."""
    config = write_groups(tmp_path_factory.mktemp("tune"), epochs=1) | {"retrieval": {"neighbours": 6}}
    return Search(config, mmrec.tune(config, SPACE, 3))


@pytest.fixture
def groups(tmp_path):
    return write_groups(tmp_path, users=40, epochs=1)


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Replaces the training at the end; returns the list of configs that it is called with."""
    configs = []

    def train(config):
        configs.append(config)
        run_dir = tmp_path / f"trained-{len(configs)}"
        run_dir.mkdir()
        (run_dir / "config.yaml").write_text(config.to_yaml())
        (run_dir / "metrics.json").write_text('{"test": {}}')
        return mmrec.TrainResult(run_dir, run_dir, {"test": {}})

    monkeypatch.setattr(job, "train", train)
    return configs


@pytest.fixture
def fits(monkeypatch):
    """Replaces the training of trials by the formula 1 - learning rate; returns the list of its (config, tables)."""
    calls = []

    def fit_model(config, tables, run, callbacks):
        calls.append((config, tables))
        run.history.write_text(f"epoch,val_ndcg@10\n1,{1 - config.training.learning_rate}\n")
        return SimpleNamespace(ndcg=0.9 if config.retrieval.neighbours else None)

    monkeypatch.setattr(job, "fit_model", fit_model)
    return calls


def test_the_table_has_each_trial_and_the_best_is_written_and_trained(search):
    trials = rows(search.result.trials)
    assert [row["trial"] for row in trials] == ["1", "2", "3"]
    assert {row["state"] for row in trials} == {"complete"}
    assert {row["epochs"] for row in trials} == {"1"}
    best = max(trials, key=lambda row: float(row["ndcg@10"]))
    config = search.result.best_config
    assert str(config.training.learning_rate) == best["training.learning_rate"]
    assert str(list(config.item.modalities)) == best["item.modalities"]
    assert Config.load(search.folder / "best.yaml") == config
    assert search.result.train_result.metrics["validation"]["ndcg@10"] == pytest.approx(float(best["ndcg@10"]))


def test_only_the_training_at_the_end_leaves_a_run_and_an_export(search):
    runs, models = Path(search.config["runs_dir"]), Path(search.config["saved_models_dir"])
    assert search.result.train_result.run_dir == runs / "groups" / "1"
    assert [path.name for path in (runs / "groups").iterdir()] == ["1"]
    assert [path.name for path in (models / "groups").glob("[!.]*")] == ["1"]
    assert search.folder.parent == runs / "groups-tune"
    for trial in ("1", "2", "3"):
        left = {path.name for path in (search.folder / "trials" / trial).iterdir()}
        assert left == {"config.yaml", "history.csv", "logs"}


def test_the_same_call_again_trains_nothing(search, fits, trained):
    again = mmrec.tune(search.config, SPACE, 3)
    assert again == search.result
    assert not fits
    assert not trained


def test_another_space_or_seed_is_another_search(groups, fits, trained):
    folders = [
        mmrec.tune(groups, {"training.learning_rate": [0.1, 0.2]}, 1, **more).trials.parent
        for more in ({}, {"seed": 1}, {"query": {"dropout": 0.2}})
    ]
    folders.append(mmrec.tune(groups, {"training.learning_rate": [0.1, 0.3]}, 1).trials.parent)
    assert len(set(folders)) == 4


def test_more_trials_go_on_after_those_that_are_there(groups, fits, trained):
    first = mmrec.tune(groups, SPACE, 3)
    begun = rows(first.trials)
    second = mmrec.tune(groups, SPACE, 5)
    assert second.trials == first.trials
    assert rows(second.trials)[:3] == begun
    assert len(rows(second.trials)) == 5
    assert len(fits) == 5
    assert second.best_config.training.learning_rate == min(config.training.learning_rate for config, _ in fits)
    assert len(trained) == 1 + (second.best_config != first.best_config)


@pytest.mark.slow
def test_a_killed_trial_is_drawn_again_and_continues_at_its_checkpoint(groups, trained, monkeypatch, capfd, tmp_path):
    space = {"training.learning_rate": {"low": 0.01, "high": 0.03}, "query.dropout": [0.1, 0.2, 0.3]}
    groups["training"]["epochs"] = 2
    ends, good = [], Pruning.on_epoch_end

    def on_epoch_end(self, epoch, logs=None):
        ends.append(epoch)
        if len(ends) == 4:  # the second epoch of the second trial
            raise KeyboardInterrupt
        good(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(Pruning, "on_epoch_end", on_epoch_end)
        with pytest.raises(KeyboardInterrupt):
            mmrec.tune(groups, space, 2)
    (folder,) = (tmp_path / "runs" / "groups-tune").iterdir()
    begun, killed = rows(folder / "trials.csv"), (folder / "trials" / "2" / "config.yaml").read_text()
    capfd.readouterr()
    result = mmrec.tune(groups, space, 2)
    said, actual = capfd.readouterr().err, rows(result.trials)
    assert "trial 1 of 2" not in said
    assert f"continuing {folder / 'trials' / '2'} after epoch 1" in said
    assert len(begun) == 1
    assert actual[:1] == begun
    assert [row["trial"] for row in actual] == ["1", "2"]
    assert actual[1]["epochs"] == "2"
    assert (folder / "trials" / "2" / "config.yaml").read_text() == killed
    assert len(trained) == 1


def test_trials_get_tables_without_the_test_read_once_per_modalities(groups, fits, trained, monkeypatch):
    loaded, good = [], job.load_tables
    monkeypatch.setattr(job, "load_tables", lambda config: loaded.append(config.item.modalities) or good(config))
    mmrec.tune(groups, SPACE, 4)
    assert len(fits) == 4
    assert all(tables.split.test is None for _, tables in fits)
    assert sorted(loaded) == [("item_id",), ("text", "item_id")]
    assert len(trained) == 1


def test_values_that_were_tried_are_not_trained_again(groups, fits, trained):
    result = mmrec.tune(groups, {"training.learning_rate": [0.25, 0.5]}, 6)
    assert len(fits) == 2
    by_rate = {(row["training.learning_rate"], row["ndcg@10"]) for row in rows(result.trials)}
    assert by_rate == {("0.25", "0.75"), ("0.5", "0.5")}
    assert result.best_config.training.learning_rate == 0.25


def test_a_trial_whose_training_fails_is_stopped_and_counted(groups, trained, monkeypatch):
    def fit_model(config, tables, run, callbacks):
        if config.training.learning_rate > 0.3:
            raise TrainingError("the loss is nan")
        run.history.write_text("epoch,val_ndcg@10\n1,0.25\n2,0.125\n")
        return SimpleNamespace(ndcg=None)

    monkeypatch.setattr(job, "fit_model", fit_model)
    result = mmrec.tune(groups, {"training.learning_rate": [0.25, 0.5]}, 4)
    actual = {(row["state"], row["ndcg@10"], row["epochs"], row["stopped"]) for row in rows(result.trials)}
    assert actual == {("complete", "0.25", "2", ""), ("stopped", "", "0", "the loss is nan")}
    with pytest.raises(InputError, match=r"no trial ran to its end \(the loss is nan\)\. Change the space"):
        mmrec.tune(groups, {"training.learning_rate": [0.5, 0.75]}, 2)


def test_neighbours_are_judged_with_the_towers_and_a_twin_as_its_first(groups, fits, trained):
    space = {"training.learning_rate": [0.25, 0.5], "retrieval.neighbours": [0, 6]}
    result = mmrec.tune(groups, space, 10)
    by_neighbours = {(row["retrieval.neighbours"], row["ndcg@10"]) for row in rows(result.trials)}
    assert by_neighbours == {("0", "0.75"), ("0", "0.5"), ("6", "0.9")}
    assert len(fits) == 4  # the others are their twins
    assert result.best_config.retrieval.neighbours == 6


def test_values_that_do_not_go_together_stop_their_trial_only(groups, fits, trained, monkeypatch):
    good = Config.load.__func__

    def load(cls, source=(), /, **overrides):
        if overrides.get("item.dim") == 8 and overrides.get("query.max_length") == 4:
            raise InputError("config: not together")
        return good(cls, source, **overrides)

    monkeypatch.setattr(Config, "load", classmethod(load))
    space = {"item.dim": [8, 16], "query.max_length": [4, 8]}
    result = [row["stopped"] for row in rows(mmrec.tune(groups, space, 8).trials)]
    assert set(result) == {"", "config: not together"}


def test_values_that_clash_when_the_model_is_built_stop_their_trial_only(groups, trained):
    config = Config.load(groups, **{"query.history": "transformer", "item.dim": 16})
    tried = rows(mmrec.tune(config, {"query.heads": [1, 3]}, 3).trials)
    wrong = "`query.heads` must divide the width of the item embedding, 16. Received: 3."
    assert {row["query.heads"]: row["stopped"] for row in tried} == {"1": "", "3": wrong}


def test_one_process_at_a_time(groups, fits, trained, monkeypatch):
    def fit_model(config, tables, run, callbacks):
        mmrec.tune(groups, SPACE, 1)

    monkeypatch.setattr(job, "fit_model", fit_model)
    with pytest.raises(InputError, match=r"is in use by another process\. Wait for it"):
        mmrec.tune(groups, SPACE, 1)


SPACES = {
    "nothing": ({}, "must hold at least one config key"),
    "an unknown key": ({"training.epoch": [1]}, "`training.epoch`: no such key. Did you mean `training.epochs`?"),
    "a value out of its range": ({"training.epochs": [3, 0]}, "`training.epochs`: Input should be greater than"),
    "a low end out of its range": ({"query.dropout": {"low": -0.1, "high": 0.5}}, "`query.dropout`: Input should be"),
    "a high end out of its range": ({"query.dropout": {"low": 0.1, "high": 1.5}}, "`query.dropout`: Input should be"),
    "an unknown tower": ({"query.history": ["lsmt"]}, "no history tower is called 'lsmt'. Did you mean `lstm`?"),
    "a single value": ({"training.epochs": 3}, "`training.epochs`: must be values to choose from. Give a list"),
    "no values": ({"training.epochs": []}, "`training.epochs`: must be values to choose from"),
    "an unknown word": ({"training.epochs": {"min": 1, "max": 3}}, "Give a list of values, or {low: .., high: ..}"),
    "ends in the wrong order": ({"training.epochs": {"low": 3, "high": 1}}, "`low` must be a number below `high`"),
    "ends that are texts": ({"training.epochs": {"low": "a", "high": "b"}}, "`low` must be a number below `high`"),
    "a logarithm of zero": (
        {"query.dropout": {"low": 0, "high": 0.5, "log": True}},
        "`log: true` needs a `low` above 0 and no `step`",
    ),
    "a step of zero": ({"item.dim": {"low": 8, "high": 16, "step": 0}}, "`step` must be a number above 0"),
    "halves of a whole number": ({"item.dim": {"low": 8, "high": 16, "step": 0.5}}, "`item.dim`: holds whole numbers"),
    "a range of truth values": (
        {"retrieval.logq_correction": {"low": 0, "high": 1}},
        "`retrieval.logq_correction`: is not a number, so it cannot have a range",
    ),
    "the seed": ({"seed": [1, 2]}, "`seed`: cannot be searched: trials must be judged on the same data"),
    "the split": ({"data.split.kind": ["time", "leave_last_out"]}, "`data.split.kind`: cannot be searched"),
    "repeats": ({"retrieval.repeat_consumption": [True]}, "`retrieval.repeat_consumption`: cannot be searched"),
    "a column that is missing": ({"item.modalities": [["image"]]}, "`data.catalog.image`: must name a column"),
}


@pytest.mark.parametrize("how", SPACES)
def test_a_space_that_cannot_be_used_is_refused_before_anything_is_written(groups, fits, tmp_path, how):
    space, said = SPACES[how]
    with pytest.raises(InputError) as error:
        mmrec.tune(groups, space, 2)
    assert said in str(error.value)
    assert not fits
    assert not (tmp_path / "runs").exists()


def test_no_trials_are_refused(groups):
    with pytest.raises(InputError, match="`trials` must be at least 1"):
        mmrec.tune(groups, SPACE, 0)


def test_without_optuna_the_remedy_is_named(groups, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"pip install mmrec\[tune\]"):
        mmrec.tune(groups, SPACE, 2)


@pytest.fixture
def config_file(search, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(search.config))
    (tmp_path / "space.json").write_text(json.dumps(SPACE))
    return path


def test_the_command_prints_trials_and_the_test_of_the_best(search, config_file, command):
    code, out, errors = command("tune", config_file, "--space", config_file.with_name("space.json"), "--trials", 3)
    assert (code, errors) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["trial", "state", "validation", "ndcg@10"]
    assert lines[5:9] == [
        f"trials  {search.result.trials}",
        f"best    {search.folder / 'best.yaml'}",
        f"run     {search.result.train_result.run_dir}",
        f"export  {search.result.train_result.export_dir}",
    ]
    assert lines[10].split()[:2] == ["test", "ndcg@10"]


def test_the_command_prints_json_and_ends_with_2_on_a_bad_space(search, config_file, command):
    space = config_file.with_name("space.json")
    code, out, _ = command("tune", config_file, "--space", space, "--trials", 3, "--json")
    printed = json.loads(out.splitlines()[-1])
    assert code == 0
    assert set(printed) == {"trials", "best", "run_dir", "export_dir", "metrics"}
    assert printed["metrics"]["queries"] == 160
    space.write_text('{"training.epoch": [1]}')
    code, out, errors = command("tune", config_file, "--space", space)
    assert (code, out) == (2, "")
    assert errors.startswith(f"error: {space}: `training.epoch`: no such key. Did you mean `training.epochs`?")
