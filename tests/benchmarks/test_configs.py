"""What is said of the public configs, for runs that are written by hand here."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mmrec
from benchmarks.common import Rows
from benchmarks.configs import PUBLIC, _options, add, run_of
from benchmarks.studies.base import CONFIGS
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.training.run_folder import RunFolder


@pytest.fixture
def rows(monkeypatch):
    """Returns `rows(*arguments)`: the rows of `python -m benchmarks.configs` with them."""

    def make(*arguments):
        monkeypatch.setattr(sys, "argv", ["configs", *map(str, arguments)])
        return Rows("Configs.", _options)

    return make


@pytest.fixture
def config(tmp_path):
    """The tiny sample shop, read by its ids."""
    source = mmrec.write_sample_shop(tmp_path / "shop", "tiny")
    return mmrec.Config.load(source, runs_dir=str(tmp_path / "runs"), **{"item.modalities": ["item_id"]})


def finished_run(folder, ndcg, hits):
    """Writes what `add` reads of a run: two users' values, and its metrics."""
    folder.mkdir()
    values = {"ndcg@10": np.float32(ndcg), "hit_rate@10": np.float32(hits)}
    table = pa.table({"user_id": ["a", "b"], "question": np.uint64([1, 2]), **values})
    pq.write_table(table.replace_schema_metadata({"mmrec.candidates": "0"}), folder / "test.parquet")
    metrics = {
        "test": {"ndcg@10": float(np.mean(ndcg))},
        "baselines": {
            "item_knn": {"test": {"ndcg@10": 0.125}},
            "popularity": {"test": {"ndcg@10": 0.0625}},
        },
        "versus_baselines": {"item_knn": {"ndcg@10_difference_ci95": [-0.5, 0.5]}},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return SimpleNamespace(test_queries=folder / "test.parquet", metrics=folder / "metrics.json")


def test_public_configs_load_and_no_two_are_the_same():
    configs = [mmrec.Config.load(CONFIGS / f"{source}.yaml", **changes) for source, changes in PUBLIC.values()]
    for number, one in enumerate(configs):
        assert one not in configs[:number]


def test_figures_are_means_over_users_of_means_over_seeds_beside_the_baselines(rows, tmp_path):
    path = tmp_path / "configs.json"
    one = rows("--json", path)
    runs = [finished_run(tmp_path / "1", [0.25, 0.25], [1, 1]), finished_run(tmp_path / "two", [0.75, 0.75], [0, 1])]
    add(one, "wines", runs)
    one.write()
    figures = {row["name"]: row for row in json.loads(path.read_text())["rows"]}
    ndcg = figures["ndcg@10:wines"]
    assert (ndcg["value"], ndcg["unit"], ndcg["seeds"]) == (0.5, "2 users", [0.25, 0.75])
    low, high = ndcg["ci95"]
    assert low < 0.5 < high  # users are alike, seeds are not
    assert (figures["hr@10:wines"]["value"], figures["hr@10:wines"]["seeds"]) == (0.75, [1.0, 0.5])
    assert figures["item_knn:wines"]["value"] == 0.125
    assert figures["popularity:wines"]["value"] == 0.0625
    assert figures["minus_item_knn:wines"]["value"] == 0.125  # of the first seed
    assert figures["minus_item_knn:wines"]["ci95"] == [-0.5, 0.5]


def test_with_one_seed_an_interval_is_over_users(rows, tmp_path, capsys):
    add(rows(), "wines", [finished_run(tmp_path / "1", [0.25, 0.25], [0, 1])])
    printed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "ci95 [0.25, 0.25]" in printed["ndcg@10:wines"]
    assert "ci95 [0.0, 1.0]" in printed["hr@10:wines"]


def test_a_finished_run_of_the_same_config_is_read_and_any_other_trained(config, monkeypatch, tmp_path):
    trained = []

    def train(config):
        trained.append(config)
        return SimpleNamespace(run_dir=tmp_path / "new")

    monkeypatch.setattr(mmrec, "train", train)
    resolved = resolve(config, load_tables(config))
    with RunFolder.open(resolved, run_identity(resolved)) as run:
        pass
    assert run_of(config).path == tmp_path / "new"  # it has no results yet
    run.write_metrics({})
    assert run_of(config).path == run.path
    assert run_of(mmrec.Config.load(config, seed=1)).path == tmp_path / "new"
    assert [one.seed for one in trained] == [0, 1]


def test_a_config_that_is_not_public_is_refused_with_the_names_of_those_that_are(rows, capsys):
    assert rows("--only", "wines,beauty").options.only == ["wines", "beauty"]
    with pytest.raises(SystemExit):
        rows("--only", "wines,wine")
    assert "'wine' is none of sample_shop, wines, retail," in capsys.readouterr().err
