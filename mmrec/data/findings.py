"""Findings of a check of data: one observation each, with a remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mmrec.data.catalog import Catalog

Severity = Literal["error", "warning", "note"]

_SHOWN = 5  # examples in a finding; `rows` has all of them


@dataclass(frozen=True)
class Finding:
    """One observation with its remedy.

    Attributes:
      severity: `error` (training would stop), `warning` (results would suffer) or `note` (worth a look).
      code: a stable name, for programs.
      text: what was found, one sentence.
      remedy: what to do about it.
      examples: the first few places, as text.
      rows: affected rows of the catalog file, numbered from 1 without the header.
    """

    severity: Severity
    code: str
    text: str
    remedy: str
    examples: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


def about_items(
    severity: Severity, code: str, text: str, remedy: str, catalog: Catalog, items: Sequence[int]
) -> Finding:
    """Makes a `Finding` about `items`, which are positions in the catalog (0-based)."""
    examples = [f"row {catalog.source_rows[item] + 1:,}: {catalog.item_ids[item]}" for item in items[:_SHOWN]]
    rows = sorted(int(catalog.source_rows[item]) + 1 for item in items)
    return Finding(severity, code, text, remedy, tuple(examples), tuple(rows))


def percent(share: float) -> str:
    """Returns a share as text.

    >>> percent(0.125), percent(0.0004), percent(0.0)
    ('12.5%', '<0.1%', '0%')
    """
    if share == 0 or share == 1:
        return f"{share:.0%}"
    return "<0.1%" if share < 0.001 else f"{share:.1%}"


def counted(counts: Mapping[str, int]) -> str:
    """Returns counts as text.

    >>> counted({"duplicate_groups": 1200, "blank": 3})
    'duplicate groups 1,200, blank 3'
    """
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())


def shares(named: Mapping[str, float], most: int | None = None) -> str:
    """Returns the first `most` shares as text.

    >>> shares({"Latin": 0.5, "Han": 0.25, "Greek": 0.25}, 2)
    'Latin 50.0%, Han 25.0%'
    """
    return ", ".join(f"{name} {percent(share)}" for name, share in list(named.items())[:most])
