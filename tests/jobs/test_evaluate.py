"""An export that is evaluated again gets the same metrics as its model in training."""

import shutil

import pandas as pd
import pytest

import mmrec


def assert_same(actual, expected, where=""):
    """Compares nested metrics to 1e-3: the last bits of a score depend on the batch, and near ties may change sides."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys(), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}/{key}")
    else:
        assert actual == pytest.approx(expected, abs=1e-3), where


@pytest.fixture
def expected(tiny_export):
    return {name: value for name, value in tiny_export.result.metrics.items() if name != "seconds"}


def test_an_evaluation_repeats_the_metrics_of_training(tiny_export, expected):
    assert_same(mmrec.evaluate(tiny_export.result.export_dir), expected)


def test_the_order_of_the_files_changes_nothing(tiny_export, expected, tmp_path):
    for name in ("catalog", "interactions"):
        table = pd.read_csv(tiny_export.shop / f"{name}.csv", dtype=str, keep_default_na=False)
        table.sample(frac=1.0, random_state=3).to_csv(tmp_path / f"{name}.csv", index=False)
    data = {
        "catalog": {"path": tmp_path / "catalog.csv", "image_dir": tiny_export.shop},
        "interactions": {"path": tmp_path / "interactions.csv"},
    }
    assert_same(mmrec.evaluate(tiny_export.result.export_dir, data=data), expected)


def test_items_that_the_export_lacks_rank_behind_all_others(tiny_export, expected, tmp_path):
    # Regression: they had an embedding of zeros, which scores above half of the catalog.
    table = pd.read_csv(tiny_export.shop / "catalog.csv", dtype=str, keep_default_na=False)
    more = table.head(50).assign(item_id=[f"0-new-{i}" for i in range(50)])  # sorts first: every row moves
    pd.concat([table, more]).to_csv(tmp_path / "catalog.csv", index=False)
    data = {"catalog": {"path": tmp_path / "catalog.csv", "image_dir": tiny_export.shop}}
    metrics = mmrec.evaluate(tiny_export.result.export_dir, data=data)
    assert metrics["candidates"] == 200
    means = [name for name in expected["test"] if not name.startswith("coverage")]
    assert_same({name: metrics["test"][name] for name in means}, {name: expected["test"][name] for name in means})


def test_delisted_items_that_the_catalog_no_longer_has_are_evaluated(tiny_export, expected, tmp_path):
    # Regression: events of a delisted item stopped the evaluation, as the catalog of the refresh lacks it.
    version = shutil.copytree(tiny_export.result.export_dir, tmp_path / "shop" / "1")
    table = pd.read_csv(tiny_export.shop / "catalog.csv", dtype=str, keep_default_na=False)
    table[::2].to_csv(tmp_path / "catalog.csv", index=False)
    data = {"catalog": {"path": tmp_path / "catalog.csv", "image_dir": tiny_export.shop}}
    with pytest.raises(mmrec.InputError, match="must be an item of the catalog"):
        mmrec.evaluate(version, data=data)
    table[["item_id"]].to_parquet(version / "mmrec/delisted.parquet")  # here the export has them all
    assert_same(mmrec.evaluate(version, data=data)["test"], expected["test"])


@pytest.mark.slow
def test_items_that_a_refresh_delisted_are_still_answers_and_rank_last(tiny_export, expected, tmp_path, capsys):
    version = shutil.copytree(tiny_export.result.export_dir, tmp_path / "shop" / "1")
    table = pd.read_csv(tiny_export.shop / "catalog.csv", dtype=str, keep_default_na=False)
    asked = set(tiny_export.tables.vocabulary.ids[tiny_export.tables.split.test.relevant.values])
    left = table[~table["item_id"].isin(asked)]
    left.to_csv(tmp_path / "catalog.csv", index=False)
    new = mmrec.refresh(
        version, tmp_path / "catalog.csv", max_delisted=1, data={"catalog": {"image_dir": tiny_export.shop}}
    ).export_dir
    metrics = mmrec.evaluate(new)
    assert f"{len(asked)} of 150 items are not in the export and rank last" in capsys.readouterr().err
    assert (metrics["queries"], metrics["candidates"]) == (expected["queries"], 150)
    assert metrics["test"]["recall@50"] == 0
    assert 0 < metrics["test"]["mrr"] < 1 / len(left)  # behind every item that is left
    assert_same(metrics["baselines"], expected["baselines"])
    as_trained = mmrec.evaluate(new, mmrec.Config.load(tiny_export.result.run_dir / "config.yaml"))
    assert_same(as_trained["test"], metrics["test"])


def test_an_export_that_has_no_item_of_the_data_is_not_judged(tiny_export, tmp_path):
    for name in ("catalog", "interactions"):
        table = pd.read_csv(tiny_export.shop / f"{name}.csv", dtype=str, keep_default_na=False)
        table.assign(item_id="x" + table["item_id"]).to_csv(tmp_path / f"{name}.csv", index=False)
    data = {
        "catalog": {"path": tmp_path / "catalog.csv", "image_dir": tiny_export.shop},
        "interactions": {"path": tmp_path / "interactions.csv"},
    }
    with pytest.raises(mmrec.InputError, match=r"catalog\.csv: no item of it is in the export .* Received: 'x.*'; the"):
        mmrec.evaluate(tiny_export.result.export_dir, data=data)


def test_overrides_reach_the_evaluation(tiny_export):
    metrics = mmrec.evaluate(tiny_export.result.export_dir, evaluation={"k": [3], "bootstrap_samples": 10})
    assert "ndcg@3" in metrics["test"]
    assert "ndcg@50" not in metrics["test"]


def test_a_folder_that_is_no_export_is_an_input_error(tmp_path):
    with pytest.raises(mmrec.InputError, match="is not an export"):
        mmrec.evaluate(tmp_path)
