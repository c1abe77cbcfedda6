"""A shop in which the next item depends on everything but the item before it."""

import csv
import itertools
import json
from datetime import UTC, datetime

import numpy as np
import pytest
import tensorflow as tf

import mmrec
from mmrec.jobs.tables import load_tables
from mmrec.towers.context import gap_bucket
from tests.jobs.test_evaluate import assert_same

EVENTS, GAPS, TOWNS = ("view", "buy"), (1, 1000), ("Ulm", "Jena")
ANSWER = {combination: f"i{place}" for place, combination in enumerate(itertools.product(EVENTS, GAPS, TOWNS))}
"""The item that a user of a town takes this long after one that was viewed or bought."""


def write_shop(folder):
    """Writes the tables; returns the config of a quick training on them, as a dict."""
    rng = np.random.default_rng(0)
    with open(folder / "items.csv", "w", newline="") as file:
        csv.writer(file).writerows([["item_id"], *([item] for item in ANSWER.values())])
    with open(folder / "users.csv", "w", newline="") as file:
        csv.writer(file).writerows([["user_id", "home"], *([f"u{user}", TOWNS[user % 2]] for user in range(80))])
    with open(folder / "events.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "item_id", "timestamp", "what", "counts"])
        for user in range(80):
            item, time = f"i{rng.integers(8)}", 0
            for _ in range(7):
                what, gap = EVENTS[rng.integers(2)], GAPS[rng.integers(2)]
                table.writerow([f"u{user}", item, time, what, 1])
                item, time = ANSWER[what, gap, TOWNS[user % 2]], time + gap
    return {
        "name": "context",
        "runs_dir": str(folder / "runs"),
        "saved_models_dir": str(folder / "models"),
        "data": {
            "catalog": {"path": str(folder / "items.csv"), "text": [], "image": None, "payload": []},
            "interactions": {"path": str(folder / "events.csv"), "event": "what", "weight": "counts"},
            "users": {"path": str(folder / "users.csv"), "attributes": {"home": "category"}},
            "split": {"kind": "leave_last_out"},
            "cache_dir": str(folder / "cache"),
        },
        "item": {"modalities": ["item_id"], "dim": 8, "item_id": {"initial": "random"}},  # neighbours say nothing here
        "query": {"history": "mean", "max_length": 1, "context": ["time_gap", "event"], "context_dropout": 0.05},
        "retrieval": {"repeat_consumption": True, "negatives": "catalog"},
        "training": {"epochs": 12, "batch_size": 16, "learning_rate": 0.05, "patience": 12},
        "evaluation": {"bootstrap_samples": 20, "k": [1]},
    }


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return write_shop(tmp_path_factory.mktemp("context"))


@pytest.fixture(scope="module")
def result(config):
    return mmrec.train(config)


@pytest.fixture(scope="module")
def shop(result):
    return mmrec.load(result.export_dir)


def test_with_its_context_the_model_finds_the_only_right_answer(result):
    assert result.metrics["validation"]["hit_rate@1"] > 0.95
    assert result.metrics["test"]["hit_rate@1"] > 0.95


@pytest.mark.slow
def test_without_its_context_no_model_finds_the_right_answer(config):
    data = {**config["data"], "users": None}
    query = {**config["query"], "context": []}
    result = mmrec.train({**config, "data": data, "query": query, "name": "without"})
    assert result.metrics["test"]["hit_rate@1"] < 0.5  # of eight


def test_the_export_is_judged_as_the_model_was(result):
    expected = {name: value for name, value in result.metrics.items() if name != "seconds"}
    assert_same(mmrec.evaluate(result.export_dir), expected)


def test_the_export_answers_by_the_context_that_it_gets(shop):
    asked = list(ANSWER)
    context = {
        "history_time": [[5.0]] * 8,
        "now": [5.0 + gap for _, gap, _ in asked],
        "history_event": [[what] for what, _, _ in asked],
        "user_home": [town for _, _, town in asked],
    }
    answers = shop.recommend([["i3"]] * 8, k=1, context=context)
    assert answers.item_ids[:, 0].tolist() == list(ANSWER.values())
    alone = shop.embed_queries([["i3"]], context={name: value[:1] for name, value in context.items()})
    np.testing.assert_allclose(alone, shop.embed_queries([["i3"]] * 8, context)[:1], atol=1e-5)


def test_all_answers_that_fit_a_partial_context_come_first(shop):
    context = {"history_event": [["buy"]], "user_home": ["Jena"]}
    answers = shop.recommend([["i3"]], k=2, context=context)
    assert set(answers.item_ids[0]) == {ANSWER["buy", gap, "Jena"] for gap in GAPS}
    assert shop.recommend([["i3"], []], k=8).item_ids.shape == (2, 8)


def test_manifest_card_and_requests_name_the_inputs(result, shop):
    beside = {"history_time", "now", "history_event", "user_home"}
    assert set(shop.context_inputs) == beside
    assert beside < set(shop.manifest["signatures"]["recommend"])
    card = (result.export_dir / "mmrec/README.md").read_text(encoding="utf-8")
    assert "`history_time` float64 [?, ?]" in card
    assert "`user_home` string [?]" in card
    body = json.loads((result.export_dir / "mmrec/requests/serving_default.json").read_text(encoding="utf-8"))
    (row,) = body["instances"]
    assert len(row["history"]) == len(row["history_time"]) == len(row["history_event"])
    assert (row["history"][0], row["history_event"][0]) == ("", "")
    assert row["user_home"] in TOWNS


def in_unit(config, folder, write):
    """Returns the config with events whose times, in seconds since 1970, are written by `write`."""
    with open(config["data"]["interactions"]["path"], newline="") as file:
        header, *rows = csv.reader(file)
    path = folder / "events.csv"
    with open(path, "w", newline="") as file:
        moved = ([user, item, write(1_700_000_000 + int(time)), *rest] for user, item, time, *rest in rows)
        csv.writer(file).writerows([header, *moved])
    interactions = {**config["data"]["interactions"], "path": str(path)}
    return {**config, "data": {**config["data"], "interactions": interactions}}


UNITS = {
    "s": str,
    "ms": lambda seconds: str(seconds * 10**3),
    "us": lambda seconds: str(seconds * 10**6),
    "ns": lambda seconds: str(seconds * 10**9),
    "days": lambda seconds: repr(seconds / 86400),
    "dates": lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat(),
}


@pytest.mark.parametrize("unit", UNITS)
def test_gaps_are_read_alike_in_every_unit_of_time(config, tmp_path, unit):
    train = load_tables(mmrec.Config.load(in_unit(config, tmp_path, UNITS[unit]))).split.train
    bucket = gap_bucket(tf.constant(train.time[np.newaxis]), train.median_gap).numpy()[0, 1:]
    follows = np.diff(train.rows.row_of_value) == 0
    # Half of the gaps are 1 and half 1000 seconds; the median is one of them, and 1000 is nearly 2 ** 10.
    assert sorted(set(bucket[follows].tolist())) in ([30, 40], [20, 30])


@pytest.mark.slow
def test_a_training_in_nanoseconds_is_one_in_seconds(config, tmp_path):
    actual = []
    for unit in ("s", "ns"):
        (tmp_path / unit).mkdir()
        actual.append(mmrec.train(in_unit(config, tmp_path / unit, UNITS[unit]) | {"name": unit}).metrics["test"])
    assert actual[0] == actual[1]
    assert actual[0]["hit_rate@1"] > 0.9


def test_queries_are_asked_at_the_moment_of_their_answer_and_know_nothing_later(config):
    test = load_tables(mmrec.Config.load(config)).split.test
    for query in range(len(test.user)):
        times = test.context.events.time[test.context.place[query]]
        assert len(times) == len(test.history[query]) == 6
        assert test.context.now[query] - times[-1] in GAPS
        assert (np.diff(times) > 0).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data.interactions.event": None}, "`query.context: [event]` needs a column"),
        ({"query.context": [], "data.interactions.negative_events": ["view"]}, "put `event` in `query.context`"),
        ({"retrieval.neighbours": 4, "data.interactions.negative_events": ["view"]}, "counts every event of a history"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(config, change, said):
    with pytest.raises(mmrec.InputError) as error:
        mmrec.Config.load(config, **change)
    assert said in str(error.value)
