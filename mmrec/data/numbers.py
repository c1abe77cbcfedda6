"""Reads a column of numbers."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

# pandas raises on these, or turns them into numbers that nobody wrote.
_NO_NUMBER = (bytes, list, tuple, dict, set, complex, np.ndarray)


def read_numbers(column: pd.Series) -> np.ndarray:
    """Returns a column of numbers or texts as float64 [R]; NaN where there is no number, or one beyond float64.

    >>> read_numbers(pd.Series([2, "1.5", "soon", None, 10**400], dtype=object)).tolist()
    [2.0, 1.5, nan, nan, nan]
    """
    if column.dtype == object:
        column = column.mask(column.map(_is_none).astype(bool), None)
    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _is_none(value: object) -> bool:
    return isinstance(value, _NO_NUMBER) or (isinstance(value, int) and abs(value) > sys.float_info.max)
