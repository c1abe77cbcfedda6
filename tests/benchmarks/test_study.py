"""What the runner of studies trains, reads again and says, for trainings that are made up here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import mmrec
from benchmarks.common import Rows
from benchmarks.studies.base import Shop, Study
from benchmarks.study import _options, add_rows, measured, run
from mmrec.jobs.tables import load_tables

NAN = float("nan")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The tiny sample shop, read by its ids."""
    source = mmrec.write_sample_shop(tmp_path_factory.mktemp("study") / "shop", "tiny")
    config = mmrec.Config.load(source, **{"item.modalities": ["item_id"], "training.learning_rate": 0.002})
    return Shop(config, load_tables(config))


@pytest.fixture
def trained(monkeypatch):
    """Returns the list of configs that `benchmarks.study.train` was called with; it trains nothing."""
    configs = []

    def train(config, tables):
        configs.append(config)
        variables = [np.zeros((2, 3)), np.zeros(4)]
        return SimpleNamespace(model=SimpleNamespace(trainable_variables=variables), config=config)

    monkeypatch.setattr("benchmarks.study.train", train)
    return configs


@pytest.fixture
def rows(monkeypatch):
    """Returns `rows(*arguments)`: the rows of `python -m benchmarks.study fusion` with them."""

    def make(*arguments):
        monkeypatch.setattr(sys, "argv", ["study", "fusion", *map(str, arguments)])
        made = Rows("Studies.", _options)
        made.describe("fusion", "Which?")
        return made

    return make


def measure(fitted, tables):
    """Returns two queries' values: the learning rate's hundredfold, and the seed for the second query alone."""
    return {
        "rate": np.full(2, fitted.config.training.learning_rate * 100),
        "seed": np.array([NAN, fitted.config.seed]),
    }


def study_of(shop, **more):
    """Returns a study with the base `one` and two variants, in two shops with variants of their own in `other`."""
    rates = {"one": 0.01, "two": 0.02, "three": 0.03}
    return Study(
        shops={"first": lambda folder, quick: shop, "other": lambda folder, quick: shop},
        variants={name: {"training.learning_rate": rate} for name, rate in rates.items()},
        own_variants={"other": {"base": {}, "four": {"training.learning_rate": 0.04}}},
        quick=("three",),
        measure=measure,
        **more,
    )


def written(rows, path):
    """Returns the rows that were written, by name."""
    rows.write()
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


def test_a_training_is_measured_and_kept_nowhere_unless_asked(shop, trained, tmp_path):
    values, facts = measured(study_of(shop), shop, shop.config, None)
    assert len(trained) == 1
    np.testing.assert_array_equal(values["seed"], [NAN, shop.config.seed])
    assert facts["parameters"] == 10  # 2 x 3 and 4
    assert facts["seconds"] >= 0
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_of_the_same_training_is_read_in_its_place(shop, trained, tmp_path):
    study, kept = study_of(shop), tmp_path / "below" / "one-0.npz"
    values, facts = measured(study, shop, shop.config, kept)
    again, facts_again = measured(study, shop, shop.config, kept)
    assert len(trained) == 1
    assert again.keys() == values.keys()
    for column, value in values.items():
        np.testing.assert_array_equal(again[column], value)
    assert facts_again == facts


@pytest.mark.parametrize("changes", [{"seed": 1}, {"training.learning_rate": 0.5}])
def test_what_was_kept_of_another_training_is_trained_again_and_replaced(shop, trained, tmp_path, changes):
    study, kept, other = study_of(shop), tmp_path / "one-0.npz", mmrec.Config.load(shop.config, **changes)
    before, _ = measured(study, shop, shop.config, kept)
    after, _ = measured(study, shop, other, kept)
    assert len(trained) == 2
    assert any(not np.array_equal(after[column], before[column], equal_nan=True) for column in before)
    measured(study, shop, other, kept)
    assert len(trained) == 2


def test_figures_are_means_over_users_of_means_over_seeds_beside_the_base(rows, tmp_path, capsys):
    one, path = rows("--json", tmp_path / "f.json"), tmp_path / "f.json"
    values = {
        "base": [{"x": np.array([0.0, 1.0, NAN])}, {"x": np.array([1.0, 1.0, NAN])}],
        "all better": [{"x": np.array([0.25, 1.25, NAN])}, {"x": np.array([1.25, 1.25, NAN])}],
        "the same": [{"x": np.array([0.5, 1.0, NAN])}, {"x": np.array([0.5, 1.0, NAN])}],
    }
    seconds = {"base": (10, 12.4), "all better": (1, 2), "the same": (3, 3)}
    facts = {name: [{"seconds": each, "parameters": 7} for each in seconds[name]] for name in values}
    add_rows(one, "a shop", values, facts)
    figures = written(one, path)
    assert list(figures) == ["a shop/base/x", "a shop/all better/x", "a shop/the same/x"]
    base, better, same = figures.values()
    assert (base["value"], base["unit"], base["seeds"]) == (0.75, "2 queries", [0.5, 1.0])
    assert (base["seconds"], base["parameters"]) == (11, 7)
    assert "minus_base_ci95" not in base
    assert (better["value"], better["seeds"]) == (1.0, [0.75, 1.25])
    assert (same["value"], same["seeds"]) == (0.75, [0.75, 0.75])
    low, high = same["minus_base_ci95"]
    assert low < 0 < high  # base's seeds differ, so a difference of 0 is uncertain


def test_a_difference_is_paired_over_users(rows, tmp_path):
    path = tmp_path / "f.json"
    one = rows("--json", path)
    base = np.array([0.0, 0.5, 1.0, 0.25])
    values = {"base": [{"x": base}], "better": [{"x": base + 0.125}]}
    add_rows(one, "s", values, {name: [{"seconds": 1, "parameters": 1}] for name in values})
    assert written(one, path)["s/better/x"]["minus_base_ci95"] == [0.125, 0.125]  # whoever is drawn


def test_a_study_trains_each_variant_with_each_seed_by_turns_and_in_every_shop(shop, trained, rows, tmp_path):
    path = tmp_path / "f.json"
    one = rows("--json", path)
    run(study_of(shop, seeds=2), one, tmp_path)
    assert [(config.training.learning_rate, config.seed) for config in trained] == [
        (0.01, 0), (0.02, 0), (0.03, 0), (0.01, 1), (0.02, 1), (0.03, 1),
        (0.002, 0), (0.04, 0), (0.002, 1), (0.04, 1),
    ]  # fmt: skip
    figures = written(one, path)
    assert list(figures) == [
        f"{place}/{column}"
        for place in ("first/one", "first/two", "first/three", "other/base", "other/four")
        for column in ("rate", "seed")
    ]
    assert (figures["first/two/rate"]["value"], figures["first/two/rate"]["unit"]) == (2.0, "2 queries")
    assert (figures["first/two/seed"]["value"], figures["first/two/seed"]["unit"]) == (0.5, "1 queries")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--quick",), [("one", 0), ("three", 0)]),
        (("--quick", "--only", "two"), [("one", 0), ("two", 0)]),
        (("--quick", "--shops", "other", "--only", "four"), [("base", 0), ("four", 0)]),
        (("--shops", "first", "--only", "two", "--seeds", "2"), [("one", 0), ("two", 0), ("one", 1), ("two", 1)]),
        (("--only", "two,four", "--seeds", "1"), [("one", 0), ("two", 0), ("base", 0), ("four", 0)]),
    ],
)
def test_options_choose_shops_variants_and_seeds_and_the_base_is_always_trained(
    shop, trained, rows, tmp_path, arguments, expected
):
    run(study_of(shop, seeds=3), rows(*arguments), tmp_path)
    names = {0.002: "base", 0.01: "one", 0.02: "two", 0.03: "three", 0.04: "four"}
    assert [(names[config.training.learning_rate], config.seed) for config in trained] == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shops", "frist"), "--shops: 'frist' is none of first, other"),
        (("--only", "two,trhee"), "--only: 'trhee' is none of one, two, three, base, four"),
        (("--shops", "first", "--only", "four"), "--only: 'four' is none of one, two, three"),
    ],
)
def test_a_name_that_a_study_has_not_stops_it_before_it_trains(shop, trained, rows, tmp_path, arguments, message):
    with pytest.raises(SystemExit, match=f"^{message}$"):
        run(study_of(shop), rows(*arguments), tmp_path)
    assert trained == []


def test_a_name_may_have_a_comma_with_a_space(rows):
    options = rows("--only", "titles,both, ids not mapped,both", "--shops", "cold,everyone").options
    assert options.only == ["titles", "both, ids not mapped", "both"]
    assert options.shops == ["cold", "everyone"]


def test_a_study_that_was_cut_off_goes_on_where_runs_are_kept(shop, trained, rows, tmp_path):
    study = study_of(shop, seeds=1)
    run(study, rows("--runs", tmp_path, "--shops", "first", "--only", "two"), tmp_path)
    assert len(trained) == 2
    run(study, rows("--runs", tmp_path, "--shops", "first"), tmp_path)
    assert [config.training.learning_rate for config in trained] == [0.01, 0.02, 0.03]


def test_a_quick_study_writes_no_shop_where_a_whole_one_would_read_it(shop, trained, rows, tmp_path):
    # The sample shop stayed tiny after a quick study in the same folder.
    places = []

    def make(folder, quick):
        places.append(folder)
        return shop

    study = Study(shops={"a shop": make}, variants={"one": {}}, quick=(), measure=measure, seeds=1)
    for options in ((), ("--quick",)):
        run(study, rows("--runs", tmp_path, *options), tmp_path)
    assert places == [tmp_path / "shops" / "a_shop", tmp_path / "quick_shops" / "a_shop"]


@pytest.mark.slow
def test_a_quick_study_trains_prints_and_writes(tmp_path):
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.study", "fusion", "--quick", "--only", "gated", "--json", "fusion.json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = ["sample shop/concatenation/NDCG@10", "sample shop/gated/NDCG@10"]
    assert [line.partition("  ")[0] for line in done.stdout.splitlines()] == names
    content = json.loads((tmp_path / "fusion.json").read_text())
    assert (content["benchmark"], [row["name"] for row in content["rows"]]) == ("fusion", names)
    assert all(0 < row["value"] < 1 for row in content["rows"])
    assert {row["command"] for row in content["rows"]} == {"python -m benchmarks.study fusion --quick --only gated"}
    assert [path.name for path in tmp_path.iterdir()] == ["fusion.json"]
