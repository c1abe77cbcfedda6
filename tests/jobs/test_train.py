import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tf_keras

import mmrec
from mmrec.config import Config
from mmrec.data.frames import config_with_frames
from mmrec.errors import InputError, TrainingError
from mmrec.evaluation.slices import METRICS
from mmrec.index.item_table import ItemTable
from mmrec.jobs.build import build_model
from mmrec.jobs.evaluate import evaluate
from mmrec.jobs.judge import judge, validation_judge
from mmrec.jobs.prepare import prepare, run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.jobs.train import train
from mmrec.seeded import seeded
from tests.jobs.worlds import add_photos, few_items, write_groups


class Logs(tf_keras.callbacks.Callback):
    """Keeps the logs of the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


@dataclass
class Done:
    """A finished training."""

    config: dict
    result: object
    said: str
    logs: Logs


def go(config):
    logs, said = Logs(), io.StringIO()
    with contextlib.redirect_stderr(said):
        result = train(config, callbacks=[logs])
    return Done(config, result, said.getvalue(), logs)


@pytest.fixture(scope="module")
def ids(tmp_path_factory):
    """A training on ids only, with the mean of the history."""
    return go(write_groups(tmp_path_factory.mktemp("ids")))


@pytest.fixture
def groups(tmp_path):
    return write_groups(tmp_path)


def test_ids_alone_find_the_users_group(ids):
    assert ids.result.metrics["test"]["recall@10"] > 0.95
    assert ids.result.metrics["validation"]["recall@10"] > 0.95


SLOW = pytest.mark.slow


@pytest.mark.parametrize("history", ["transformer", pytest.param("lstm", marks=SLOW), pytest.param("gru", marks=SLOW)])
def test_every_history_tower_finds_the_users_group_from_ids_and_texts(groups, history):
    groups["item"]["modalities"] = ["text", "item_id"]
    groups["query"]["history"] = history
    assert go(groups).result.metrics["test"]["recall@10"] > 0.95


def test_a_constant_model_is_no_better_than_chance(groups):
    config = Config.load(groups)
    tables = load_tables(config)
    same = ItemTable.of(np.full((25, 4), 0.5, np.float32))
    metrics = judge(config, tables, {}, same, lambda table, histories, _: np.full((len(histories), 4), 0.5, np.float32))
    # One right item among 19: the catalog's 24 without the five of the history. Ties count against the model.
    for name, chance in {
        "recall@10": 10 / 19,
        "hit_rate@10": 10 / 19,
        "precision@10": 1 / 19,
        "recall@5": 5 / 19,
    }.items():
        assert metrics["test"][name] == 0 < chance, name
    assert metrics["test"]["ndcg@10"] == 0
    assert metrics["test"]["mrr"] == pytest.approx(1 / 19)
    assert metrics["candidates"] == 24
    assert metrics["queries"] == 160


def test_the_metrics_are_those_that_users_rely_on(ids):
    metrics = json.loads((ids.result.run_dir / "metrics.json").read_text())
    assert metrics == ids.result.metrics
    assert set(metrics) >= {
        "validation",
        "test",
        "baselines",
        "versus_baselines",
        "slices",
        "candidates",
        "queries",
        "dropped",
        "seconds",
    }
    names = {"recall@10", "ndcg@10", "mrr", "hit_rate@10", "precision@10"}
    assert names <= metrics["validation"].keys()
    for part in (metrics["test"], metrics["baselines"]["popularity"]["test"], metrics["baselines"]["item_knn"]["test"]):
        assert names <= part.keys()
        for name in names:
            low, high = part[f"{name}_ci95"]
            assert low - 1e-12 <= part[name] <= high + 1e-12  # the mean is summed in another order
    for baseline in ("popularity", "item_knn"):
        assert len(metrics["versus_baselines"][baseline]["ndcg@10_difference_ci95"]) == 2
    assert metrics["seconds"].keys() == {"prepare", "train", "evaluate", "export"}
    assert (metrics["candidates"], metrics["queries"]) == (24, 160)


def test_the_run_folder_holds_config_history_and_checkpoints(ids):
    run = ids.result.run_dir
    written = Config.load(ids.config)
    decided = {
        "retrieval": {"negatives": "catalog", "temperature": 0.07, "logq_correction": True},
        "item": {"item_id": {"initial": "random"}},
    }
    assert Config.load(run / "config.yaml") == Config.load(written, **decided) != written
    with open(run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[3]["loss"]) < float(rows[0]["loss"])
    assert (run / "checkpoints" / "best" / "checkpoint").is_file()
    assert (ids.result.export_dir / "saved_model.pb").is_file()


def test_progress_and_callbacks_see_each_epoch_once(ids):
    assert ids.said.count("validation ndcg@10") == 4
    assert "continuing" not in ids.said
    assert "24 items, 960 events, 640 training queries" in ids.said
    assert [set(METRICS) <= {name.removeprefix("val_") for name in logs} for logs in ids.logs.epochs] == [True] * 4


def test_the_same_seed_trains_the_same_model_in_a_new_run(ids):
    again = go(ids.config)
    for part in ("validation", "test", "slices", "versus_baselines"):
        assert again.result.metrics[part] == ids.result.metrics[part]
    assert [logs["loss"] for logs in again.logs.epochs] == [logs["loss"] for logs in ids.logs.epochs]
    assert (ids.result.run_dir.name, again.result.run_dir.name) == ("1", "2")
    assert (ids.result.export_dir.name, again.result.export_dir.name) == ("1", "2")


@pytest.mark.slow
def test_a_killed_training_continues_after_its_last_epoch(groups, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(groups))
    code = (
        "import sys, time\n"
        "import mmrec\n"
        "from tf_keras.callbacks import Callback\n"
        "class Sleep(Callback):\n"
        "    def on_epoch_end(self, epoch, logs=None):\n"
        "        if epoch == 2: print('asleep', flush=True); time.sleep(300)\n"
        "mmrec.train(sys.argv[1], callbacks=[Sleep()])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout.readline() == "asleep\n"  # the third epoch is trained and judged, but not saved
        finally:
            os.kill(process.pid, signal.SIGKILL)
    done = go(tmp_path / "config.json")
    run = tmp_path / "runs" / "groups" / "1"
    assert f"continuing {run} after epoch 2" in done.said
    assert [line.split()[1] for line in done.said.splitlines() if line.startswith("epoch")] == ["3/4", "4/4"]
    with open(run / "history.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    assert [path.name for path in run.parent.iterdir()] == ["1"]
    assert [path.name for path in (tmp_path / "models" / "groups").glob("[!.]*")] == ["1"]
    assert done.result.metrics["test"]["recall@10"] > 0.95


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query.history": "lsmt"}, "no history tower is called 'lsmt'. Did you mean `lstm`?"),
        ({"item.fusion": "nowhere:Fusion"}, "the fusion 'nowhere:Fusion' cannot be imported"),
        ({"data.catalog.path": "/nowhere/items.csv"}, "no such file"),
        ({"callbacks": [Logs]}, "`callbacks` must be a list of callbacks of tf_keras (Keras 2). Received: the class"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(groups, tmp_path, change, said):
    with pytest.raises(InputError) as error:
        train(groups, **change)
    assert said in str(error.value)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "models").exists()


def test_weights_that_cannot_be_loaded_leave_no_run_behind(groups, tmp_path, photo):
    add_photos(tmp_path, groups, photo, weights=str(tmp_path / "no.h5"))
    with pytest.raises(InputError, match=r"`item\.image\.weights`"):
        train(groups)
    assert list((tmp_path / "runs" / "groups").iterdir()) == []


def test_a_folder_of_exports_that_cannot_be_written_stops_before_training(groups, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Set `saved_models_dir` to a folder you may write to"):
        train(groups, saved_models_dir=str(tmp_path / "file" / "models"))
    assert not (tmp_path / "runs").exists()


def test_items_that_have_become_the_same_stop_the_training(groups):
    config = Config.load(groups)
    tables = load_tables(config)
    apart = np.eye(25, dtype=np.float32)
    alike = np.tile([[0.6, 0.8]], (25, 1)).astype(np.float32)

    def embed(table, histories, context):
        return np.tile(table.scored[1:2], (len(histories), 1))

    # Every query gets the first item before all others, which tie: right ones among those come last.
    first = (tables.split.validation.relevant.values == 1).mean()
    assert 0 < first < 0.2
    assert validation_judge(config, tables, lambda: ItemTable.of(apart), embed)()["ndcg@10"] == pytest.approx(first)
    with pytest.raises(
        TrainingError, match=r"two items have a mean cosine of 1\.0000\. Lower `training.learning_rate`"
    ):
        validation_judge(config, tables, lambda: ItemTable.of(alike), embed)()


def test_items_that_were_as_alike_from_the_start_have_not_collapsed(groups):
    config = Config.load(groups)
    tables = load_tables(config)
    table = np.tile([1, 0], (25, 1)).astype(np.float32)
    table[1, 1] = 0.1  # of the 276 pairs 23 have the cosine 0.995037: together 0.999586

    def embed(table, histories, context):
        return np.tile(table.scored[1:2], (len(histories), 1))

    for before, stops in ((0.5, True), (0.995, True), (0.996, False), (0.9996, False)):
        judging = validation_judge(config, tables, lambda: ItemTable.of(table), embed, lambda before=before: before)
        if stops:
            with pytest.raises(TrainingError, match=r"a mean cosine of 0\.9996"):
                judging()
        else:
            assert "ndcg@10" in judging()


@pytest.mark.slow
def test_a_shop_of_two_items_trains_and_answers(tmp_path):
    config = few_items(tmp_path, 2)
    config["item"] |= {"item_id": {}, "modalities": ["text", "item_id"]}
    result = train(config, retrieval={"neighbours": 512, "repeat_consumption": True}, export={"index": "ivf"})
    shop = mmrec.load(result.export_dir)
    assert sorted(shop.recommend([["i0"]], k=20).item_ids[0]) == ["i0", "i1"]
    assert list(shop.similar(["i0"], k=20).item_ids[0]) == ["i1", ""]


def test_validation_ranks_at_most_the_configured_number_of_queries(groups):
    config = Config.load(groups, evaluation={"max_validation_queries": 7})
    asked = []

    def embed(table, histories, context):
        asked.append(len(histories))
        return np.ones((len(histories), 25), np.float32)

    judging = validation_judge(config, load_tables(config), lambda: ItemTable.of(np.eye(25, dtype=np.float32)), embed)
    assert judging() == judging()
    assert asked == [7, 7]


def test_at_the_end_a_sample_of_the_queries_may_be_ranked_and_the_others_are_counted(groups):
    asked = []

    def embed(table, histories, context):
        asked.append(len(histories))
        return np.ones((len(histories), 25), np.float32)

    config = Config.load(groups, evaluation={"max_test_queries": 9})
    metrics = judge(config, load_tables(config), {}, ItemTable.of(np.eye(25, dtype=np.float32)), embed)
    assert asked == [9, 9]  # test and validation; there are 160 users
    assert (metrics["queries"], metrics["dropped"]["not_sampled"]) == (9, 151)
    assert metrics["baselines"]["popularity"]["test"].keys() == metrics["test"].keys()


def test_a_run_is_identified_by_its_config_and_its_data(groups, tmp_path):
    config = Config.load(groups)
    identity = run_identity(config)
    elsewhere = {"runs_dir": "other", "saved_models_dir": "other", "training": {"resume": False}}
    assert run_identity(Config.load(groups, **elsewhere)) == identity
    assert run_identity(Config.load(groups, seed=1)) != identity
    with open(tmp_path / "events.csv", "a") as file:
        file.write("u0,red-1,99\n")
    assert run_identity(config) != identity


@pytest.mark.slow
def test_frames_are_trained_on_and_a_run_is_identified_by_their_content(groups, tmp_path):
    items, events = pd.read_csv(tmp_path / "items.csv"), pd.read_csv(tmp_path / "events.csv")
    groups["training"]["epochs"] = 1
    result = train(groups, data={"catalog": items, "interactions": {"path": events}})
    assert {path.name for path in result.run_dir.glob("*.parquet")} == {
        "catalog.frame.parquet",
        "interactions.frame.parquet",
        "test_queries.parquet",
    }
    judged = evaluate(result.export_dir, data={"interactions": events})
    assert judged["test"]["ndcg@10"] == pytest.approx(result.metrics["test"]["ndcg@10"], abs=1e-6)

    def identity(*source, **frames):
        with config_with_frames(*source, {"data": frames}) as config:
            return run_identity(resolve(config, load_tables(config)))

    kept = run_identity(Config.load(result.run_dir / "config.yaml"))
    again = events.set_index(np.arange(len(events)) + 5)
    assert identity(groups, catalog=items.copy(), interactions=again) == kept
    assert identity(groups, catalog=items, interactions=events[1:]) != kept


def test_a_run_is_identified_by_the_content_of_the_vocabulary_that_it_names(groups, tmp_path):
    words = tmp_path / "words.txt"
    config = Config.load(groups, **{"item.modalities": ["text"], "item.text.vocabulary": str(words)})
    words.write_text("[PAD]\n[UNK]\nred\nblue\n")
    identity = run_identity(config)
    words.write_text("[PAD]\n[UNK]\nblue\nred\n")
    assert run_identity(config) != identity


def test_the_weights_of_a_new_model_follow_from_the_seed(groups):
    tables = load_tables(Config.load(groups))
    config = resolve(Config.load(groups), tables)
    prepared = prepare(config, tables)

    def first(config):
        with seeded(config.seed):
            model = build_model(config, prepared, tables)
            return model.candidate_tower(prepared.features.rows(np.arange(5))).numpy()

    random.seed(1)
    np.testing.assert_array_equal(first(config), first(config))
    assert random.random() == random.Random(1).random()  # the process's own draws go on
    assert np.abs(first(config) - first(Config.load(config, seed=1))).max() > 1e-3


@pytest.mark.parametrize(("modalities", "hidden"), [(["item_id"], 0), (["text", "item_id"], 0.5)])
def test_ids_are_hidden_in_training_only_where_something_else_can_answer(groups, modalities, hidden):
    groups["item"] |= {"modalities": modalities, "item_id": {"dropout": 0.5}}
    tables = load_tables(Config.load(groups))
    config = resolve(Config.load(groups), tables)
    tower = build_model(config, prepare(config, tables), tables).candidate_tower
    seen, fuse = [], tower.fusion.call
    tower.fusion.call = lambda vectors, present, training=False: (
        seen.append(present) or fuse(vectors, present, training)
    )
    tower({"item_id_row": tf.ones(1000, tf.int32), "text_tokens": tf.fill([1000, 1], 2)}, training=True)
    assert 1 - seen[0][-1].numpy().mean() == pytest.approx(hidden, abs=0.08)


@pytest.mark.slow
def test_photos_can_train_the_backbone(tmp_path, photo):
    groups = write_groups(tmp_path, users=40, epochs=1, images_per_step=4, refresh_steps=3, learning_rate=2e-4)
    add_photos(tmp_path, groups, photo, trainable="top")
    seen = {}

    class Weights(tf_keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            backbone = self.model.candidate_tower.towers["image"].backbone
            seen["before"], seen["backbone"] = backbone.digest(), backbone

    result = train(groups, callbacks=[Weights()])
    assert seen["backbone"].digest() != seen["before"]
    assert result.metrics["test"]["recall@10"] > 0.9  # by chance 10 of 19
    assert (result.export_dir / "saved_model.pb").is_file()
