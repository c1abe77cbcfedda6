"""What all benchmarks share: options, rows, the machine. Import it before TensorFlow."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DATA = Path(os.environ.get("MMREC_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
"""Folder of the public data sets."""


class Rows:
    """Measured figures: printed as they come, written as JSON at the end.

    Args:
      description: the benchmark's docstring: a title, what is measured, and how it is called. Its options are
        `--json FILE` and `--quick`.
      add_options: adds further ones to the parser.

    Attributes:
      options: the parsed ones.
      name: of the benchmark, as `python -m benchmarks.NAME` or `python -m benchmarks.study NAME` calls it.
    """

    def __init__(
        self, description: str, add_options: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    ):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--json", metavar="FILE", help="also write the rows there, beside those of earlier calls")
        parser.add_argument("--quick", action="store_true", help="a small version, under a minute")
        add_options(parser)
        self.options = parser.parse_args()
        self._rows: list[dict] = []
        module = getattr(sys.modules["__main__"].__spec__, "name", "benchmarks.none")
        self._module = module.removeprefix("benchmarks.").removesuffix(".__main__")
        self.describe(self._module, description)

    def describe(self, name: str, description: str) -> None:
        """Sets the name and the description that the JSON states."""
        self.name, self._description = name, description

    def add(self, name: str, value: float, unit: str, **more) -> None:
        """Records and prints a figure; `more` goes beside it, such as `ci95=[low, high]`."""
        more = {
            key: [round(bound, 5) for bound in item] if isinstance(item, list) else item for key, item in more.items()
        }
        self._rows.append({"name": name, "value": float(value), "unit": unit, **more})
        extra = "  ".join(f"{key} {item}" for key, item in more.items())
        print(f"{name:<56}{value:>12.4f}  {unit}  {extra}".rstrip(), flush=True)

    def write(self) -> None:
        """Writes the rows where `--json` says, in place of those of the same names and beside all others."""
        if not self.options.json:
            return
        path, now = Path(self.options.json), {"command": shown_command(sys.argv[1:], self._module), "date": today()}
        rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}
        rows |= {row["name"]: {**row, **now} for row in self._rows}
        title, _, rest = self._description.strip().partition("\n\n")
        about = rest.partition("\n    python -m")[0].strip()
        content = {"benchmark": self.name, "title": " ".join(title.split()), "about": about}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**content, "rows": [*rows.values()], "machine": machine()}, indent=1) + "\n")


def shown_command(arguments: Sequence[str], module: str) -> str:
    """Returns the command that prints the same figures, without where they are written and kept.

    Args:
      arguments: those of the call.
      module: what was called, as `study` for `python -m benchmarks.study`.
    """
    kept, skip = [], False
    for argument in arguments:
        if skip or argument in ("--json", "--runs"):
            skip = not skip
        elif not argument.startswith(("--json=", "--runs=")):
            kept.append(argument if argument.isidentifier() else shlex.quote(argument))
    return " ".join(["python -m benchmarks." + module, *kept])


def today() -> str:
    """Returns the date, YYYY-MM-DD."""
    return datetime.date.today().isoformat()


def machine() -> dict[str, Any]:
    """Returns what the figures depend on: processor, memory, versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    facts = {
        "processor": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    return facts | {name: version(name) for name in ("numpy", "tensorflow")}


def by_turns(rounds: int, contestants: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Runs each contestant once to warm up, then in turns; returns the median seconds of a call of each."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def data(*parts: str) -> Path:
    """Returns a path below `DATA`, or stops with a message when it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise SystemExit(f"{path}: no such file. Set MMREC_DATA to the folder that holds {parts[0]}.")
    return path
