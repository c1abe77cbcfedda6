"""Writes the page of measured figures, docs/measured.md, from the JSON of finished benchmarks.

The JSON files in `benchmarks/results` are what benchmarks wrote with `--json`. Nothing on the page is written by hand:
title and description are the benchmark's own, and beside each table stand the commands, their dates and the processor.

    python -m benchmarks.measured [--check]

`--check` writes nothing and ends with 1 where the page is not what the JSON says.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "benchmarks" / "results", ROOT / "docs" / "measured.md"

ORDER = ("configs", "peers", "fusion", "ablation", "missing", "content", "defaults")
"""Benchmarks that stand first on the page, in this order; the others follow by name."""

LAYOUTS = {
    "configs": r"(?P<column>[^:]+):(?P<row>.+)",
    "index": r"(?P<column>\w+):(?P<row>.+?)_(?P<table>\d+k|\d+m)(?P<more>_b\d+)?",
    "latency": r"latency:(?P<row>.+?)_(?P<column>b\d+_p\d+|first_.+)",
    "augmentation": r"(?P<row>[a-z]+_\d+):(?P<column>.+)",
}
"""How names of rows fall into table, row and column, where it is not `[table/]row/column`. What fits none is listed."""

INTRO = """# Measured

Every figure here is printed by the command above its table; this page is made from the JSON that the commands wrote, by
`python -m benchmarks.measured`. Brackets hold 95% intervals; with signs they are those of a difference, paired over
users, to the first row. Quality is measured over the whole catalog, without what the user has seen, and ties count
against the model. Speeds are compared side by side in one run: take their ratios to your own machine, not the numbers.

Benchmarks need a clone and their packages: `pip install -c constraints.txt -e '.[bench,beam]'`, and g++ where
TensorFlow's C++ loader is measured. Each takes `--quick`, which shows in under a minute that it runs. Public data are
not in the repository: `MMREC_DATA` names a folder with `wines/` (X-Wines Slim), `retail/` (UCI Online Retail),
`amazon_beauty/` and `amazon_sports/` (5-core as in S3-Rec, doi:10.1145/3340531.3411954) and `spoken_digits/` (FSDD).
The last command makes this page again:

```console
$ python -m benchmarks.measured --check
docs/measured.md is what benchmarks/results says
```
"""


def page(results: Sequence[Mapping]) -> str:
    """Returns the page, Markdown.

    Args:
      results: what the benchmarks wrote, one mapping each.
    """
    places = {name: place for place, name in enumerate(ORDER)}
    ordered = sorted(results, key=lambda one: (places.get(one["benchmark"], len(places)), one["benchmark"]))
    return "\n".join([INTRO, *(_section(one) for one in ordered)])


def _section(result: Mapping) -> str:
    machine, rows = result["machine"], result["rows"]
    dates: dict[str, str] = {}
    for row in rows:
        dates[row["command"]] = max(row["date"], dates.get(row["command"], ""))
    commands = "\n".join(f"{command}    # {date}" for command, date in dates.items())
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, TensorFlow "
    lines = [f"## {result['title']}", "", result["about"], "", "```sh", commands, "```", ""]
    lines += [f"{about}{machine['tensorflow']}.", ""]
    for title, cells, columns in _tables(result["benchmark"], rows):
        lines += [f"**{title}**", ""] if title else []
        lines += [*_table(cells, columns), ""]
    return "\n".join(lines)


def _tables(benchmark: str, rows: Iterable[Mapping]) -> list[tuple[str, dict[str, dict[str, str]], list[str]]]:
    """Returns title, cells by row and column, and columns of each table; figures that fit into none come last."""
    layout = re.compile(LAYOUTS.get(benchmark, r"(?:(?P<table>[^/]+)/)?(?P<row>[^/]+)/(?P<column>[^/]+)"))
    tables: dict[str, dict[str, dict[str, str]]] = {}
    listed: dict[str, dict[str, str]] = {}
    for row in rows:
        place = layout.fullmatch(row["name"])
        if place is None:
            listed[row["name"]] = {"": _cell(row), "unit": row["unit"]}
            continue
        parts = place.groupdict()
        column = parts["column"] + (parts.get("more") or "")
        tables.setdefault(parts.get("table") or "", {}).setdefault(parts["row"], {})[_words(column)] = _cell(row)
    made = [(title, cells, _columns(cells)) for title, cells in tables.items()]
    return [*made, ("", listed, ["", "unit"])] if listed else made


def _columns(cells: Mapping[str, Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(column for row in cells.values() for column in row))


def _table(cells: Mapping[str, Mapping[str, str]], columns: Sequence[str]) -> list[str]:
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, row in cells.items():
        lines.append(f"| {_words(name)} | {' | '.join(row.get(column, '') for column in columns)} |")
    return lines


def _cell(row: Mapping) -> str:
    """Returns a value with its interval, or that of its difference."""
    value = _number(row["value"])
    if "ci95" in row:
        signs = "+" if row["name"].startswith("minus") else ""
        return f"{value} {_interval(row['ci95'], signs)}"
    difference = next((value for key, value in row.items() if key.startswith("minus_")), None)
    return value if difference is None else f"{value} {_interval(difference, '+')}"


def _interval(bounds: Sequence[float], sign: str) -> str:
    return "[{}, {}]".format(*(f"{bound:{sign}.4f}" for bound in bounds))


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def read_results(folder: Path = RESULTS) -> list[dict]:
    """Returns what finished benchmarks wrote."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    text = page(read_results())
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")
    elif text != PAGE.read_text(encoding="utf-8"):
        raise SystemExit("docs/measured.md is not what benchmarks/results says. Run: python -m benchmarks.measured")
    else:
        print("docs/measured.md is what benchmarks/results says")


if __name__ == "__main__":
    main()
