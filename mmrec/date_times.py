"""Reads date-times as seconds since 1970, by the same rule in training and in serving."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from mmrec.config.data import ISO

_ISO_ZONE = re.compile(r"[T ]\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$")
_FORMAT_ZONE = re.compile(r"%[zZ]|\b(?:UTC|GMT)\b|Z$")


class DateTimes(NamedTuple):
    """Date-times of R rows.

    Attributes:
      seconds: float64 [R], seconds since 1970, UTC unless a zone is given; NaN where unreadable.
      zoned: bool [R], whether each one names its zone.
    """

    seconds: np.ndarray
    zoned: np.ndarray


def read_date_times(values: pd.Series, formats: Sequence[str] = ()) -> DateTimes:
    """Reads date-times.

    Args:
      values: R texts, or dates and date-times of Python, NumPy or pandas; everything else is unreadable.
      formats: formats of the texts, as for `strptime`, or `ISO8601`; the first that fits reads a text. Empty: ISO 8601.

    Returns:
      The seconds and zones of all rows.
    """
    text, moment = (
        values.map(lambda value, kind=kind: isinstance(value, kind)).to_numpy(bool)
        for kind in (str, date | np.datetime64)
    )
    values = values.map(lambda value: value.strip() if isinstance(value, str) else value).astype(object)
    seconds, zoned = np.full(len(values), np.nan), np.zeros(len(values), bool)
    for chosen, form in ((moment, ISO), *((text, form) for form in formats or (ISO,))):
        rows = np.flatnonzero(chosen & np.isnan(seconds))
        if not len(rows):
            continue
        some = values.iloc[rows]
        seconds[rows] = seconds_of(pd.to_datetime(some, errors="coerce", utc=True, format=form))
        if form == ISO:
            zone = some.map(lambda value: bool(_ISO_ZONE.search(str(value)))).to_numpy(bool)
        else:
            zone = bool(_FORMAT_ZONE.search(form))
        zoned[rows] = np.isfinite(seconds[rows]) & zone
    return DateTimes(seconds, zoned)


def seconds_of(moments: pd.Series) -> np.ndarray:
    """Returns a column of pandas date-times as seconds since 1970, float64 [R], exact to the microsecond."""
    moments = pd.to_datetime(moments, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e6)
