"""The page of measured figures, for results that are written by hand here."""

import json
import sys

import pytest

from benchmarks.measured import INTRO, PAGE, main, page, read_results

MACHINE = {"processor": "A processor", "cores": 4, "memory_gib": 16, "tensorflow": "2.21.0"}


def result(benchmark, *rows):
    """Returns what a benchmark would write; rows are (name, value, unit) or (name, value, unit, more)."""
    written = [
        {"name": name, "value": value, "unit": unit, "command": "python -m benchmarks.it", "date": "2026-01-31"}
        | (more[0] if more else {})
        for name, value, unit, *more in rows
    ]
    return {"benchmark": benchmark, "title": "What?", "about": "So.", "rows": written, "machine": MACHINE}


def tables(benchmark, *rows):
    """Returns the lines of the page that stand below the processor, without empty ones."""
    below = page([result(benchmark, *rows)]).partition("TensorFlow 2.21.0.\n")[2]
    return [line for line in below.splitlines() if line]


def test_a_section_has_title_description_commands_processor_and_figures():
    one = result("fusion", ("shop/sum/NDCG@10", 0.25, "9 queries"), ("shop/gated/NDCG@10", 0.5, "9 queries"))
    assert page([one]) == INTRO + (
        "\n## What?\n\nSo.\n\n```sh\npython -m benchmarks.it    # 2026-01-31\n```\n\n"
        "A processor, 4 cores, 16 GiB, TensorFlow 2.21.0.\n\n"
        "**shop**\n\n| | NDCG@10 |\n|---|---|\n| sum | 0.2500 |\n| gated | 0.5000 |\n"
    )


def test_each_command_stands_once_with_its_last_date():
    again = {"date": "2026-03-01"}
    other = {"command": "python -m benchmarks.it --seeds 2", "date": "2026-02-02"}
    rows = [("a/x", 1, ""), ("b/x", 1, "", again), ("c/x", 1, ""), ("d/x", 1, "", other)]
    shown = page([result("some", *rows)]).partition("## What?")[2].split("```")[1].splitlines()[1:]
    assert shown == [
        "python -m benchmarks.it    # 2026-03-01",
        "python -m benchmarks.it --seeds 2    # 2026-02-02",
    ]


def test_configs_and_studies_stand_first_and_the_others_by_name():
    names = ("scale", "defaults", "content", "baselines", "configs", "fusion", "missing", "peers", "ablation")
    text = page([result(name, ("a/x", 1, "")) | {"title": name} for name in names])
    order = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert order == [
        "configs", "peers", "fusion", "ablation", "missing", "content", "defaults", "baselines", "scale",
    ]  # fmt: skip


def test_a_shop_has_a_table_a_variant_a_row_and_a_measure_a_column():
    rows = [
        ("one shop/base/all", 0.1, ""),
        ("one shop/base/cold_items", 0.2, ""),
        ("one shop/in_batch/all", 0.3, ""),
        ("other/base/all", 0.4, ""),
        ("other/base/rare", 0.5, ""),
    ]
    assert tables("some", *rows) == [
        "**one shop**",
        "| | all | cold items |",
        "|---|---|---|",
        "| base | 0.1000 | 0.2000 |",
        "| in batch | 0.3000 |  |",
        "**other**",
        "| | all | rare |",
        "|---|---|---|",
        "| base | 0.4000 | 0.5000 |",
    ]


def test_a_name_of_two_parts_is_row_and_column_of_a_table_without_title():
    rows = [("mmrec/seconds", 12.5, "s"), ("mmrec/peak", 2.0, "GiB"), ("other/seconds", 50, "s")]
    assert tables("peers", *rows) == [
        "| | seconds | peak |",
        "|---|---|---|",
        "| mmrec | 12.50 | 2.00 |",
        "| other | 50.00 |  |",
    ]


def test_configs_are_rows_and_their_figures_columns():
    rows = [
        ("ndcg@10:wines", 0.05, "", {"ci95": [0.04, 0.06]}),
        ("minus_item_knn:wines", 0.0123, "", {"ci95": [-0.001, 0.02]}),
        ("train_seconds:wines", 1234.5, "s"),
    ]
    assert tables("configs", *rows) == [
        "| | ndcg@10 | minus item knn | train seconds |",
        "|---|---|---|---|",
        "| wines | 0.0500 [0.0400, 0.0600] | 0.0123 [-0.0010, +0.0200] | 1,234 |",
    ]


def test_indexes_have_a_table_for_each_size_and_what_has_no_size_is_listed():
    rows = [
        ("share_read:1m", 0.02, "of the catalog"),
        ("recall:exact_int8_100k", 0.999, "of the ten best"),
        ("rate:exact_int8_100k_b64", 5000, "queries/s"),
        ("recall:tfrs_brute_force_1m", 1.0, "of the ten best"),
        ("recall:ivf_real", 0.98, "of the ten best"),
        ("ratio:ivf_vs_tfrs_b1", 12.34, "times as fast"),
    ]
    assert tables("index", *rows) == [
        "**100k**",
        "| | recall | rate b64 |",
        "|---|---|---|",
        "| exact int8 | 0.9990 | 5,000 |",
        "**1m**",
        "| | recall |",
        "|---|---|",
        "| tfrs brute force | 1.00 |",
        "| |  | unit |",
        "|---|---|---|",
        "| share read:1m | 0.0200 | of the catalog |",
        "| recall:ivf real | 0.9800 | of the ten best |",
        "| ratio:ivf vs tfrs b1 | 12.34 | times as fast |",
    ]


def test_signatures_are_rows_and_batch_percentile_and_first_call_columns():
    rows = [
        ("latency:recommend_b1_p50", 1.5, "ms"),
        ("latency:recommend_b64_p99", 20, "ms"),
        ("ratio:recommend_b1_vs_floor", 3.0, "times the floor"),
        ("latency:similar_items_first_before_warm_up", 250, "ms"),
    ]
    assert tables("latency", *rows) == [
        "| | b1 p50 | b64 p99 | first before warm up |",
        "|---|---|---|---|",
        "| recommend | 1.50 | 20.00 |  |",
        "| similar items |  |  | 250 |",
        "| |  | unit |",
        "|---|---|---|",
        "| ratio:recommend b1 vs floor | 3.00 | times the floor |",
    ]


def test_an_interval_has_signs_where_it_is_of_a_difference():
    rows = [
        ("base/x", 0.2, ""),
        ("one/x", 0.3, "", {"minus_base_ci95": [0.05, 0.15]}),
        ("two/x", 0.1, "", {"minus_base_ci95": [-0.15, -0.05]}),
        ("three/x", 0.2, "", {"ci95": [0.1, 0.3]}),
    ]
    assert tables("some", *rows)[2:] == [
        "| base | 0.2000 |",
        "| one | 0.3000 [+0.0500, +0.1500] |",
        "| two | 0.1000 [-0.1500, -0.0500] |",
        "| three | 0.2000 [0.1000, 0.3000] |",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0000"),
        (-0.0123, "-0.0123"),
        (1, "1.00"),
        (-99.5, "-99.50"),
        (100, "100"),
        (29900.4, "29,900"),
    ],
)
def test_a_number_has_as_many_digits_as_its_size_needs(value, text):
    assert tables("some", ("a/x", value, ""))[-1] == f"| a | {text} |"


def test_results_are_read_in_order_of_their_files(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.json").write_text(json.dumps(result(name, ("r/x", 1, ""))))
    (tmp_path / "notes.txt").write_text("no result")
    assert [one["benchmark"] for one in read_results(tmp_path)] == ["a", "b"]


def test_the_page_is_what_the_results_say():
    results = read_results()
    assert results
    assert PAGE.read_text(encoding="utf-8") == page(results)


def test_a_check_compares_the_page_with_the_results_and_changes_nothing(monkeypatch, tmp_path, capsys):
    copy = tmp_path / "measured.md"
    monkeypatch.setattr("benchmarks.measured.PAGE", copy)
    monkeypatch.setattr(sys, "argv", ["measured", "--check"])
    copy.write_text(page(read_results()), encoding="utf-8")
    main()
    assert capsys.readouterr().out == "docs/measured.md is what benchmarks/results says\n"
    copy.write_text("by hand", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"^docs/measured.md is not what benchmarks/results says\."):
        main()
    assert copy.read_text(encoding="utf-8") == "by hand"
