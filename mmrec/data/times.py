"""Reads a column of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from mmrec.config.data import ISO
from mmrec.data.numbers import read_numbers
from mmrec.date_times import read_date_times, seconds_of
from mmrec.values import strings

# pandas fails on these, or turns them into numbers.
_NO_TIME = (bool, np.bool_, bytes, list, tuple, dict, set, np.ndarray)


class Times(NamedTuple):
    """The times of a column, by row.

    Attributes:
      seconds: float64 [R]: numbers unchanged, date-times in seconds since 1970 (UTC unless they name a zone); NaN if
        unreadable.
      dated: whether the column has date-times, not numbers.
      zoned: bool [R], whether a date-time names its zone.
    """

    seconds: np.ndarray
    dated: bool
    zoned: np.ndarray


def read_times(column: pd.Series, formats: Sequence[str] = ()) -> Times:
    """Reads numbers or date-times; in a column with both, the kind with fewer values counts as unreadable.

    Args:
      column: R times.
      formats: see `data.interactions.timestamp_format`; with formats, numbers such as 20240131 are read as texts.
    """
    none = np.zeros(len(column), bool)
    if pd.api.types.is_datetime64_any_dtype(column):  # pandas would turn those into numbers, and NaT too
        return Times(seconds_of(column), True, none)
    if formats:
        is_date = column.map(lambda value: isinstance(value, date | np.datetime64)).to_numpy(bool)
        moments = read_date_times(column.astype(object).where(is_date, strings(column)), formats)
        return Times(moments.seconds, True, moments.zoned)
    column = column.astype(object)
    column = column.mask(column.map(lambda value: isinstance(value, _NO_TIME)).astype(bool), None)
    numbers = read_numbers(column)
    finite = np.isfinite(numbers)
    seconds, zoned = np.full(len(column), np.nan), none.copy()
    if not finite.all():
        seconds[~finite], zoned[~finite] = read_date_times(column[~finite])
    if finite.sum() >= max(1, np.isfinite(seconds).sum()):
        return Times(np.where(finite, numbers, np.nan), False, none)
    return Times(seconds, True, zoned)


def time_rule(formats: Sequence[str]) -> str:
    """Returns the rule for times, for messages."""
    if not formats:
        return "a number or an ISO 8601 date-time"
    return f"a date-time of the form {' or '.join('ISO 8601' if form == ISO else repr(form) for form in formats)}"
