"""What benchmarks print and write, and the command that they say prints the same."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.common import Rows, by_turns, data, shown_command, today

DESCRIPTION = """How fast
is it?

Calls are timed
by turns.

    python -m benchmarks.speed [--json FILE] [--quick]

Reads nothing.
"""


@pytest.fixture
def rows(monkeypatch):
    """Returns `rows(*arguments, module="benchmarks.speed")`: the rows of a benchmark that is called so."""

    def make(*arguments, module="benchmarks.speed"):
        monkeypatch.setattr(sys.modules["__main__"], "__spec__", SimpleNamespace(name=module))
        monkeypatch.setattr(sys, "argv", ["a path", *map(str, arguments)])
        return Rows(DESCRIPTION, _options)

    return make


def _options(parser):
    parser.add_argument("--runs")
    parser.add_argument("study", nargs="?")


def test_a_row_is_printed_as_it_comes(rows, capsys):
    rows().add("calls", 1234.56789, "calls/s", ci95=[0.123456789, 1.0], where="here")
    assert capsys.readouterr().out == ("calls" + " " * 51 + "   1234.5679  calls/s  ci95 [0.12346, 1.0]  where here\n")


def test_nothing_is_written_without_json(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = rows()
    one.add("calls", 1, "calls/s")
    one.write()
    assert list(tmp_path.iterdir()) == []


def test_a_file_states_title_description_command_date_and_machine(rows, tmp_path):
    path = tmp_path / "results" / "speed.json"  # its folder is made
    one = rows("--json", path, "--quick", "--runs", tmp_path)
    one.add("calls", 2.5, "calls/s", ci95=[2.123456789, 3.0])
    one.write()
    content = json.loads(path.read_text())
    machine = content.pop("machine")
    assert content == {
        "benchmark": "speed",
        "title": "How fast is it?",
        "about": "Calls are timed\nby turns.",
        "rows": [
            {
                "name": "calls",
                "value": 2.5,
                "unit": "calls/s",
                "ci95": [2.12346, 3.0],
                "command": "python -m benchmarks.speed --quick",
                "date": today(),
            }
        ],
    }
    assert machine.keys() == {
        "processor", "cores", "memory_gib", "system", "python", "numpy", "tensorflow",
    }  # fmt: skip
    assert machine["processor"]
    assert machine["numpy"] == np.__version__


def test_a_later_call_replaces_the_rows_it_measures_again_and_keeps_all_others(rows, tmp_path, monkeypatch):
    path = tmp_path / "speed.json"
    monkeypatch.setattr("benchmarks.common.today", lambda: "2026-01-01")
    first = rows("--json", path)
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        first.add(name, value, "s", calls=9)
    first.write()
    monkeypatch.setattr("benchmarks.common.today", lambda: "2026-02-02")
    second = rows(f"--json={path}", "--quick")
    second.add("b", 20, "s")
    second.add("d", 4, "s")
    second.write()
    whole, quick = "python -m benchmarks.speed", "python -m benchmarks.speed --quick"
    assert [tuple(row.values()) for row in json.loads(path.read_text())["rows"]] == [
        ("a", 1.0, "s", 9, whole, "2026-01-01"),
        ("b", 20.0, "s", quick, "2026-02-02"),
        ("c", 3.0, "s", 9, whole, "2026-01-01"),
        ("d", 4.0, "s", quick, "2026-02-02"),
    ]


@pytest.mark.parametrize(
    ("module", "arguments", "command"),
    [
        ("latency", [], "python -m benchmarks.latency"),
        ("latency", ["--quick"], "python -m benchmarks.latency --quick"),
        ("latency", ["--json", "out/x.json", "--quick"], "python -m benchmarks.latency --quick"),
        ("latency", ["--quick", "--json=out/x.json"], "python -m benchmarks.latency --quick"),
        ("configs", ["--runs", "r", "--json", "x", "--only", "wines"], "python -m benchmarks.configs --only wines"),
        ("study", ["fusion", "--runs=r", "--seeds", "2"], "python -m benchmarks.study fusion --seeds 2"),
        ("study", ["--seeds", "2", "fusion"], "python -m benchmarks.study --seeds 2 fusion"),
        ("study", ["--json", "x", "fusion"], "python -m benchmarks.study fusion"),
        (
            "study",
            ["missing", "--only", "dropout .3,dropout 0"],
            "python -m benchmarks.study missing --only 'dropout .3,dropout 0'",
        ),
    ],
)
def test_the_command_shown_is_the_one_called_but_for_where_it_writes(module, arguments, command):
    assert shown_command(arguments, module) == command


def test_a_study_has_its_own_name_and_description_and_the_command_of_the_runner(rows, tmp_path):
    path = tmp_path / "fusion.json"
    one = rows("--quick", "fusion", "--json", path, module="benchmarks.study")
    one.describe("fusion", "Which?\n\nBy turns.")
    one.add("a", 1, "s")
    one.write()
    content = json.loads(path.read_text())
    assert (content["benchmark"], content["title"], content["about"]) == ("fusion", "Which?", "By turns.")
    assert content["rows"][0]["command"] == "python -m benchmarks.study --quick fusion"


def test_a_package_has_the_name_of_its_folder(rows):
    assert rows(module="benchmarks.peers.__main__").name == "peers"


def test_contestants_are_called_once_each_and_then_by_turns():
    calls = []
    seconds = by_turns(2, {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")})
    assert "".join(calls) == "ab" + "abab"
    assert seconds.keys() == {"a", "b"}


def test_absent_data_stop_a_benchmark_with_the_variable_to_set(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.common.DATA", tmp_path)
    with pytest.raises(SystemExit, match=r"wines/wines\.csv: no such file\. Set MMREC_DATA to the folder that holds"):
        data("wines", "wines.csv")
    (tmp_path / "wines").mkdir()
    assert data("wines") == tmp_path / "wines"
