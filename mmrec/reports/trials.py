"""The trials of a search as a table for people, best first."""

from __future__ import annotations

import csv
from pathlib import Path


def trials_text(table: Path) -> str:
    """Returns the trials as lines of text, the best first.

    Args:
      table: trials.csv of a search.
    """
    with open(table, newline="") as file:
        header, *rows = csv.reader(file)
    rows.sort(key=lambda row: (row[1] != "complete", -float(row[2] or -1)))
    for row in rows:
        row[2] = f"{float(row[2]):.4f}" if row[2] else ""
        row[5:-1] = [_short(value) for value in row[5:-1]]
    if not any(row[-1] for row in rows):
        header, rows = header[:-1], [row[:-1] for row in rows]
    header[2] = "validation ndcg@10"
    widths = [max(len(row[place]) for row in [header, *rows]) for place in range(len(header))]
    cells = [[f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)] for row in [header, *rows]]
    return "\n".join("  ".join(row).rstrip() for row in cells)


def _short(value: str) -> str:
    try:
        return value if value.lstrip("-").isdecimal() else f"{float(value):.4g}"
    except ValueError:
        return value
