"""Proposes `strptime` formats for date-times that are not ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from mmrec.config.data import ISO
from mmrec.date_times import read_date_times

_LOOKED_AT = 10  # texts that formats are derived from
_TRIED = 10_000  # texts that the formats are tried on: a number above 12 shows which part is the day

_CLOCK = re.compile(
    r"(?:(?<![\d:])|(?<=\d{4}:))\d{1,2}:\d\d"
    r"(?P<second>:\d\d(?P<comma>[.,])?(?(comma)\d{1,6}))?(?P<half>\s?[ap]m)?(?![\d:])",
    re.I,
)
_OFFSET = re.compile(r"(?<=%[SfMp])(\s?)(?:[+-]\d\d:?\d\d|Z)$|(?<=%[SfMp])(\s?)[+-]\d\d:?\d\d(?=\s)")
_COMPACT = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)")
_WEEKDAY = re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)(?P<whole>s?(?:nes|rs|ur)?day)?\b", re.I)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_PART = re.compile(
    rf"(?<!\d)(?:(?P<y>\d{{4}})|(?P<number>\d{{1,2}}))(?!\d)"
    rf"|\b(?P<m>{_MONTHS}|{'|'.join(month[:3] for month in _MONTHS.split('|'))})(?![a-z])",
    re.I,
)
_ORDERS = ("dmy", "mdy", "ymd")
_FIRST = {"d": "day", "m": "month", "y": "year"}


def propose_remedy(texts: pd.Series, some_iso: bool) -> str:
    """Returns a space and a sentence that says how to read date-times; "" where no format reads most of them.

    Args:
      texts: the texts that are not ISO 8601.
      some_iso: whether the column also has date-times in ISO 8601.

    >>> propose_remedy(pd.Series(["31/12/2023 7:05", "01/01/2024 18:30"]), False)
    " Set `data.interactions.timestamp_format: '%d/%m/%Y %H:%M'` to read it."
    >>> propose_remedy(pd.Series(["01/02/2024"]), False)
    " Set `data.interactions.timestamp_format: '%d/%m/%Y'` ('%m/%d/%Y' if the month comes first) to read it."
    """
    distinct = pd.Series([text for text in texts if isinstance(text, str)], dtype=object).drop_duplicates()[:_TRIED]
    chosen, others, unread = [], [], distinct
    while len(unread):
        forms = dict.fromkeys(form for text in unread[:_LOOKED_AT] for form in _forms(text.strip()))
        read = {form: np.isfinite(read_date_times(unread, [form]).seconds) for form in forms}
        most = max((part.sum() for part in read.values()), default=0)
        if not most:
            break
        best, *equal = [form for form, part in read.items() if part.sum() == most]
        chosen.append(best)
        others += [f"{form!r} if the {_first(form)} comes first" for form in equal]
        unread = unread[~read[best]]
    if 2 * len(unread) >= len(distinct):
        return ""
    forms = [*([ISO] if some_iso else []), *map(repr, chosen)]
    value = forms[0] if len(forms) == 1 else f"[{', '.join(forms)}]"
    instead = f" ({', '.join(others)})" if others else ""
    return f" Set `data.interactions.timestamp_format: {value}`{instead} to read it."


def _forms(text: str) -> Iterator[str]:
    """Yields the formats that a text may have: several where its numbers may be day and month, or month and day."""
    form = _OFFSET.sub(r"\1\2%z", _CLOCK.sub(_clock, text.replace("%", "%%")))
    form = _WEEKDAY.sub(lambda match: "%A" if match["whole"] else "%a", form)
    if _COMPACT.search(form):
        yield _COMPACT.sub("%Y%m%d", form)
        return
    parts = [match.lastgroup for match in _PART.finditer(form)]
    for order in _ORDERS if len(parts) == len("dmy") else ():
        if all(part in (unit, "number") for part, unit in zip(parts, order, strict=True)):
            units = iter(order)
            yield _PART.sub(lambda match, units=units: _directive(match, next(units)), form)


def _clock(match: re.Match) -> str:
    half = match["half"] or ""
    second = f":%S{match['comma']}%f" if match["comma"] else ":%S" if match["second"] else ""
    return f"%{'I' if half else 'H'}:%M{second}{half[:-2]}{'%p' if half else ''}"


def _directive(match: re.Match, unit: str) -> str:
    if match["y"]:
        return "%Y"
    if match["m"]:
        return "%b" if len(match["m"]) == len("jan") else "%B"
    return f"%{unit}"


def _first(form: str) -> str:
    return _FIRST[re.search(r"%([dmy])", form, re.I)[1].lower()]
