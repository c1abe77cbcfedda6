"""Reads a column of times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from mmrec.values import strings

# On these pandas fails, or makes numbers of them.
_NO_TIME = (bool, np.bool_, bytes, list, tuple, dict, set, np.ndarray)
_ZONE = r"[T ]\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$"


class Times(NamedTuple):
    """The times of a column, by row.

    Attributes:
      seconds: float64 [R]: numbers as they are, date-times as seconds since 1970 (UTC unless a zone is given); NaN
        where unreadable.
      dated: whether they are date-times.
      zoned: bool [R], whether a date-time names its zone.
    """

    seconds: np.ndarray
    dated: bool
    zoned: np.ndarray


def read_times(column: pd.Series) -> Times:
    """Reads numbers or ISO 8601 date-times; where both stand, those that are fewer are unreadable."""
    none = np.zeros(len(column), bool)
    if pd.api.types.is_datetime64_any_dtype(column):  # pandas would turn those into numbers, and NaT too
        return Times(_seconds(column), True, none)
    column = column.astype(object)
    column = column.mask(column.map(lambda value: isinstance(value, _NO_TIME)).astype(bool), None)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    finite = np.isfinite(numbers)
    seconds = np.full(len(column), np.nan)
    if not finite.all():
        dates = pd.to_datetime(column[~finite], errors="coerce", utc=True, format="ISO8601")
        seconds[~finite] = _seconds(dates)
    if finite.sum() >= max(1, np.isfinite(seconds).sum()):
        return Times(np.where(finite, numbers, np.nan), False, none)
    zoned = pd.Series(strings(column)).str.contains(_ZONE).to_numpy(bool)
    return Times(seconds, True, zoned & np.isfinite(seconds))


def _seconds(column: pd.Series) -> np.ndarray:
    moments = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)
