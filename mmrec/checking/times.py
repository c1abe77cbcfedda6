"""Describes the times of events as dates, and finds what looks wrong about them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from mmrec.data.findings import Finding, percent
from mmrec.data.interactions import Interactions

DAY = 86400.0
UNITS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_PLAUSIBLE = (datetime(1990, 1, 1, tzinfo=UTC).timestamp(), datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_MOST = 0.9  # share of the times above 0 that must be plausible dates before the others are reported


def unit_of(times: np.ndarray) -> str | None:
    """Returns the unit since 1970 of most times (float64 [E]); None unless nearly all are dates from 1990 to 2200.

    >>> unit_of(np.array([1704070953e3, 1704070954e3, 0])), unit_of(np.array([1.0, 7.0]))
    ('milliseconds', None)
    """
    counts = {unit: int(mask.sum()) for unit, mask in _in_units(times).items()}
    if sum(counts.values()) < _MOST * max(1, (times > 0).sum()):
        return None
    return max(counts, key=counts.__getitem__)


def date_of(moment: float, unit: str | None) -> str | None:
    """Returns a time as date and time in UTC; None without a unit, or when it is beyond the calendar.

    >>> date_of(1704070953000.0, "milliseconds"), date_of(7.0, None)
    ('2024-01-01 01:02:33', None)
    """
    try:
        return unit and datetime.fromtimestamp(moment / UNITS[unit], UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return None


def time_findings(events: Interactions) -> Iterator[Finding]:
    """Reports what is wrong or unusual about the times of the events."""
    yield from _off_dates(events.time)
    yield from _numbers_as_dates(events.time)
    pair = np.stack([events.user, events.row, np.unique(events.time, return_inverse=True)[1]], axis=1)
    again = len(pair) - len(np.unique(pair, axis=0))
    if again:
        severity = "warning" if again > 0.01 * len(pair) else "note"
        text = f"{again:,} events repeat an earlier one: the same user, item and time."
        yield Finding(severity, "duplicate_events", text, "Remove them unless each was a purchase of its own.")
    several = np.bincount(events.user) >= 2
    low, high = np.full(len(several), np.inf), np.full(len(several), -np.inf)
    np.minimum.at(low, events.user, events.time)
    np.maximum.at(high, events.user, events.time)
    flat = several & (low == high)
    if several.any() and flat.sum() > several.sum() / 2:
        text = f"{percent(flat.sum() / several.sum())} of the users with several events have them all at the same time."
        remedy = "Give a finer `data.interactions.timestamp`: items with the same time never predict each other."
        yield Finding("warning", "one_time_per_user", text, remedy)


def _in_units(times: np.ndarray) -> dict[str, np.ndarray]:
    """Returns, by unit, a mask (bool [E]) of the times that are plausible dates in it; no time is one in two units."""
    return {unit: (times >= _PLAUSIBLE[0] * scale) & (times < _PLAUSIBLE[1] * scale) for unit, scale in UNITS.items()}


def _off_dates(times: np.ndarray) -> Iterator[Finding]:
    """Reports times that are in another unit than most, before 1990, or in the future."""
    unit = unit_of(times)
    if unit is None:
        return
    others = {name: mask for name, mask in _in_units(times).items() if name != unit and mask.any()}
    for name, mask in others.items():
        share = percent(mask.mean())
        text = f"{mask.sum():,} times ({share}) are {name} since 1970, the others {unit}: their order is wrong."
        yield Finding("warning", "mixed_time_units", text, "Write `data.interactions.timestamp` in one unit.")
    alike = ~np.any([np.zeros(len(times), bool), *others.values()], axis=0)
    seconds = times / UNITS[unit]
    early, late = alike & (seconds < _PLAUSIBLE[0]), alike & (seconds > time.time() + DAY)
    if early.any():
        first = date_of(float(times[early].min()), unit) or f"{times[early].min():g}"
        zeros = int((times[early] == 0).sum())
        text = f"{early.sum():,} events ({percent(early.mean())}) are from before 1990, the first from {first}"
        text += f"; {zeros:,} have the time 0, which usually means that it is missing." if zeros else "."
        remedy = "Correct their `data.interactions.timestamp`, or drop those events: histories begin with them."
        yield Finding("warning", "early_times", text, remedy)
    if late.any():
        last = date_of(float(times[late].max()), unit) or f"{times[late].max():g}"
        text = f"{late.sum():,} events lie in the future; the last one is from {last}."
        yield Finding("warning", "future_times", text, "Correct `data.interactions.timestamp`, or drop those events.")


def _numbers_as_dates(times: np.ndarray) -> Iterator[Finding]:
    """Reports times that look like 20240131: the difference of two such numbers is not a duration."""
    day, month, year = times % 100, times // 100 % 100, times // 10_000
    fits = (day >= 1) & (day <= 31) & (month >= 1) & (month <= 12) & (year >= 1900) & (year < 2200)
    if (fits & (times % 1 == 0)).all():
        text = f"The times look like dates written as numbers, such as {times[0]:.0f}: their differences are wrong."
        remedy = "Set `data.interactions.timestamp_format: '%Y%m%d'`."
        yield Finding("note", "dates_as_numbers", text, remedy)
