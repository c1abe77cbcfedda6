"""A table's columns as the signatures take them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec.errors import InputError
from mmrec.vectors import is_nothing, listed, parse_vector, unicode


def column(values: Iterable, kind: str, shape: Sequence[int | None], name: str) -> np.ndarray:
    """Reads a column of raw fields.

    Args:
      values: N of them.
      kind: see `schema.Field`.
      shape: of one value in the signature: (), (P,) for several files or (F,) for a vector.
      name: of the column, for messages.

    Returns:
      str or bytes objects [N] ("" is none), bytes objects [N, P], float32 [N] or [N, F] (NaN is none).

    Raises:
      InputError: a value is not of its kind.
    """
    if isinstance(values, pd.Series) and kind in ("text", "id"):
        values = _whole(values)
    values = list(values)
    if kind == "vector":
        return _each(values, lambda value: _vector(value, shape[0]), np.full(shape, np.nan, np.float32), name)
    if kind == "number":
        return _each(values, _number, np.float32(np.nan), name)
    if kind != "bytes":
        return np.array([_text(value) for value in values], object)
    if len(shape):  # a TensorShape without dimensions is true
        return np.array([_files(value, shape[0]) for value in values], object).reshape(len(values), *shape)
    return np.array([_files(value, 1)[0] for value in values], object)


def _whole(values: pd.Series) -> pd.Series:
    """Returns whole numbers as such: with gaps among them pandas makes floats of a column, and 12 would become 12.0."""
    if not pd.api.types.is_float_dtype(values) or not (values.dropna() % 1 == 0).all():
        return values
    return values.astype("Int64")


def _each(values: list, read: Callable, nothing: np.ndarray, name: str) -> np.ndarray:
    """Returns what `read` makes of each value, `nothing` where it gives None; float32 [N, ...]."""
    found = np.tile(nothing, (len(values), *[1] * np.ndim(nothing)))
    for row, value in enumerate(values):
        try:
            one = read(value)
        except ValueError as error:
            raise InputError(
                f"`table`, row {row + 1:,}, column `{name}`: {error}. Correct it, or leave it empty: it then counts as "
                "missing."
            ) from None
        if one is not None:
            found[row] = one
    return found


def _vector(value, width: int) -> np.ndarray | None:
    vector = parse_vector(value)
    if vector is not None and len(vector) != width:
        raise ValueError(f"must have {width} numbers, as the model was trained with. Received: {len(vector)}")
    return vector


def _number(value) -> float | None:
    if is_nothing(value) or value == "":
        return None
    try:
        number = float(value)
    except (ValueError, TypeError):
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(f"must be a finite number. Received: {value!r:.80}")
    return number


def _text(value) -> str:
    return "" if is_nothing(value) else unicode(value)


def _files(value, most: int) -> list[bytes]:
    """Returns the first files of a list, or the one, and b"" for what lacks; what is empty is left out first."""
    given = [one.strip() if isinstance(one, str) else one for one in listed(value)]
    given = [one for one in given if not (is_nothing(one) or (isinstance(one, str | bytes | bytearray) and not one))]
    return [_file(one) for one in given[:most]] + [b""] * (most - len(given))


def _file(value) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"a photo or recording must be its encoded bytes or a path. Received: {value!r:.80}.")
    try:
        return Path(value).read_bytes()
    except OSError as error:
        raise InputError(f"{value}: the file cannot be read: {error.strerror}.") from None
