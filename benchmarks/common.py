"""What all benchmarks share: options, rows, the machine. Import it before TensorFlow."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DATA = Path(os.environ.get("MMREC_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
"""Folder of the public data sets."""


class Rows:
    """Measured figures: printed as they come, written as JSON at the end.

    Args:
      description: the benchmark's docstring; its options are `--json FILE` and `--quick`.
      add_options: adds further ones to the parser.
    """

    def __init__(
        self, description: str, add_options: Callable[[argparse.ArgumentParser], object] = lambda parser: None
    ):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--json", metavar="FILE", help="also write the rows there")
        parser.add_argument("--quick", action="store_true", help="a small version, under a minute")
        add_options(parser)
        self.options = parser.parse_args()
        self._rows: list[dict] = []

    def add(self, name: str, value: float, unit: str, **more) -> None:
        """Records and prints a figure; `more` goes beside it, such as `ci95=[low, high]`."""
        more = {
            key: [round(bound, 5) for bound in item] if isinstance(item, list) else item for key, item in more.items()
        }
        self._rows.append({"name": name, "value": float(value), "unit": unit, **more})
        extra = "  ".join(f"{key} {item}" for key, item in more.items())
        print(f"{name:<56}{value:>12.4f}  {unit}  {extra}".rstrip(), flush=True)

    def write(self) -> None:
        """Writes `{"rows": [...], "machine": {...}}` where `--json` says."""
        if not self.options.json:
            return
        machine = {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()}
        machine |= {name: version(name) for name in ("numpy", "tensorflow")}
        Path(self.options.json).write_text(json.dumps({"rows": self._rows, "machine": machine}, indent=2) + "\n")


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
