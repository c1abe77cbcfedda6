"""Turns columns of a table into the arrays that signatures take."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.values import joined, number, trimmed
from mmrec.vectors import holds_nested, is_nested, is_nothing, listed, parse_vector


def column(values: Iterable, kind: str, shape: Sequence[int | None], name: str) -> np.ndarray:
    """Reads a column of raw fields.

    Args:
      values: N cells.
      kind: the kind of field, see `schema.Field`.
      shape: the shape of one value in the signature: (), (P,) for several files or (F,) for a vector.
      name: the column's name, for messages.

    Returns:
      str or bytes objects [N] ("" is missing), bytes objects [N, P], float32 [N] or [N, F] (NaN is missing).

    Raises:
      InputError: a value is not of its kind.
    """
    if kind not in ("vector", "number", "bytes"):
        return _texts(values if isinstance(values, pd.Series) else pd.Series(values, dtype=object), kind, name)
    values = list(values)
    if kind == "vector":
        return _each(values, lambda value: _vector(value, shape[0]), np.full(shape, np.nan, np.float32), name)
    if kind == "number":
        return _each(values, number, np.float32(np.nan), name)
    if len(shape):  # a TensorShape without dimensions is true
        return np.array([_files(value, shape[0]) for value in values], object).reshape(len(values), *shape)
    return np.array([_files(value, 1)[0] for value in values], object)


def as_tensor(values: np.ndarray, spec: tf.TensorSpec) -> tf.Tensor:
    """Returns an array as a tensor of an input's type; an empty array of strings keeps its shape."""
    return tf.reshape(tf.constant(values.ravel().tolist(), spec.dtype), values.shape)


def _texts(values: pd.Series, kind: str, name: str) -> np.ndarray:
    """Returns texts, those of a list joined; or categories or ids, one per row, which the export spells its own way."""
    single = kind in ("category", "id")
    nested, rule = (is_nested, "") if single else (holds_nested, ", or a list of them")
    row = next((row for row, value in enumerate(values if values.dtype.kind == "O" else []) if nested(value)), None)
    if row is not None:
        raise InputError(
            f"`table`, row {row + 1:,}, column `{name}`: must be a text or a number{rule}. Received: "
            f"{values.iloc[row]!r:.80}. Correct it."
        )
    return trimmed(values) if single else joined(values)


def _each(values: list, read: Callable, nothing: np.ndarray, name: str) -> np.ndarray:
    """Returns what `read` makes of each value, `nothing` where it gives None; float32 [N, ...]."""
    array = np.tile(nothing, (len(values), *[1] * np.ndim(nothing)))
    for row, value in enumerate(values):
        try:
            one = read(value)
        except ValueError as error:
            raise InputError(
                f"`table`, row {row + 1:,}, column `{name}`: {error}. Correct it, or leave it empty: it then counts as "
                "missing."
            ) from None
        if one is not None:
            array[row] = one
    return array


def _vector(value, width: int) -> np.ndarray | None:
    vector = parse_vector(value)
    if vector is not None and len(vector) != width:
        raise ValueError(f"must have {width} numbers, as the model was trained with. Received: {len(vector)}")
    return vector


def _files(value, most: int) -> list[bytes]:
    """Returns the first `most` files of a cell, empty entries left out, padded with b""."""
    files = [one for one in listed(value) if not (is_nothing(one) or _is_empty(one))]
    return [_file(one) for one in files[:most]] + [b""] * (most - len(files))


def _is_empty(value) -> bool:
    return isinstance(value, str | bytes | bytearray) and not (value.strip() if isinstance(value, str) else value)


def _file(value) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"a photo or recording must be its encoded bytes or a path. Received: {value!r:.80}.")
    if isinstance(value, str) and not os.path.isfile(value):  # a name may begin or end with a space
        value = value.strip()
    try:
        return Path(value).read_bytes()
    except OSError as error:
        raise InputError(f"{value}: the file cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InputError(
            f"a photo or recording must be a path that a file can have. Received: {value!r:.80}."
        ) from None
