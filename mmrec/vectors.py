"""Reads cells of tables: empty ones, lists, and feature vectors, however they are written."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

LISTS = (list, tuple, set, frozenset, np.ndarray)
"""Types that hold several values in one cell."""
_DECIMAL = (float, np.floating, Decimal)


def is_nothing(value: Any) -> bool:
    """Returns whether a cell is empty: None, NA, NaT or NaN."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, _DECIMAL) and value != value)


def listed(value: Any) -> list:
    """Returns the values of a cell that may hold several: a list, an array, a JSON list as text, or one value.

    The values of a set, which has no order, are sorted by their texts.

    >>> listed("a.jpg"), listed('["a.jpg", "b.jpg"]'), listed("[1].jpg")
    (['a.jpg'], ['a.jpg', 'b.jpg'], ['[1].jpg'])
    """
    if isinstance(value, LISTS):
        return sorted(value, key=str) if isinstance(value, set | frozenset) else list(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
        return parsed if isinstance(parsed, list) else [value]
    return [value]


def is_nested(value: Any) -> bool:
    """Returns whether a cell is a list or an object."""
    return isinstance(value, (*LISTS, dict))


def holds_nested(value: Any) -> bool:
    """Returns whether a cell that may hold several values is an object, or holds lists or objects."""
    return isinstance(value, dict) or any(map(is_nested, listed(value)))


def unicode(value: Any) -> str:
    r"""Returns a cell as text that UTF-8 can hold; anything else in it becomes a replacement character.

    >>> unicode(7), unicode("\ud800")
    ('7', '?')
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def parse_vector(value: Any) -> np.ndarray | None:
    """Reads one item's feature vector.

    Args:
      value: a list or array of numbers, or text: numbers with commas or spaces between them,
        in brackets or not.

    Returns:
      float32 [F], all finite; None for an empty cell (null, NaN, an empty list or an empty text).

    Raises:
      ValueError: it is not a list of finite numbers; the text says so, ready for an error message.

    >>> parse_vector("0.5, -1 2").tolist(), parse_vector("[3]").tolist(), parse_vector([])
    ([0.5, -1.0, 2.0], [3.0], None)
    """
    if is_nothing(value):
        return None
    numbers = _numbers(value)
    if numbers is None or numbers.ndim != 1:
        raise ValueError(f"must be a list of numbers. Received: {value!r:.80}")
    with np.errstate(over="ignore"):
        vector = numbers.astype(np.float32, copy=False)
    if not len(vector):
        return None
    if not np.isfinite(vector).all():
        place = int(np.argmin(np.isfinite(vector)))
        raise ValueError(f"must hold finite float32 numbers. Received: {numbers[place]} at position {place + 1}")
    return vector


def _numbers(value: Any) -> np.ndarray | None:
    """Returns the numbers as an array of any type and shape; None if they are not numbers."""
    try:
        if isinstance(value, str):
            text = value.strip()
            text = text[1:-1].strip() if text.startswith("[") and text.endswith("]") else text
            value = [float(part) for part in re.split(r"\s*,\s*|\s+", text)] if text else []
        array = np.asarray(value)
        if not array.size:
            return np.zeros(array.shape, np.float32)
        if array.dtype == object:  # null among numbers becomes NaN
            array = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in "fiu" else None
