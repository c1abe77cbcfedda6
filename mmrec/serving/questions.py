"""Turns what users ask into the arrays that signatures take, and explains every mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import tensorflow as tf

from mmrec.errors import InputError, nearest
from mmrec.values import string
from mmrec.vectors import is_nothing

_SCALARS = (str, bytes, int, float, Decimal, date, np.generic)

Filter = Mapping[str, object] | Sequence[str]
"""Conditions on items: {column: value}, or strings "column=value"; an item must fulfil all of them."""


def strings(values: Iterable[object], name: str) -> np.ndarray:
    """Returns str objects [B], numbers as `values.string` writes them; raises `InputError` for other values."""
    values = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    wrong = next((value for value in values if not is_scalar(value)), None)
    if wrong is not None:
        raise InputError(
            f"`{name}` must hold texts or numbers. Received: {wrong!r:.80} of type {type(wrong).__name__}."
        )
    return np.array([string(value) for value in values], dtype=object)


def is_scalar(value: object) -> bool:
    """Returns whether a value is a text, a number, a date or the like, or empty (None, NaN)."""
    return isinstance(value, _SCALARS) or is_nothing(value)


def padded_ids(rows: Iterable[Sequence[str]], name: str) -> np.ndarray:
    """Returns str objects [B, L], padded with "" at the end; raises `InputError` unless `rows` is a list of lists."""
    rows = [rows] if isinstance(rows, str) or not isinstance(rows, Iterable) else list(rows)
    for row in rows:
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise InputError(
                f"`{name}` must be a list of lists of item ids, one list per user. Received: {row!r} in it."
            )
    rows = [strings(row, name) for row in rows]
    return _padded(rows)


def rows_for(item_ids: Iterable[Sequence[str]] | None, batch: int, name: str) -> np.ndarray:
    """Returns the item ids beside each of `batch` histories, str objects [batch, R]; R is 0 if there are none."""
    rows = padded_ids([[]] * batch if item_ids is None else item_ids, name)
    if len(rows) != batch:
        raise InputError(f"`{name}` must have a row per history ({batch}). Received: {len(rows)}.")
    return rows


def filter_rows(filters: Filter | Iterable[Filter] | None, batch: int, columns: Sequence[str]) -> np.ndarray:
    """Turns filters into the array that signatures take.

    Args:
      filters: one filter for all histories, or one per history, or None.
      batch: number of histories.
      columns: the filter columns of the export.

    Returns:
      str objects [batch, M], "column=value"; "" pads.

    Raises:
      InputError: a filter has another form or names an unknown column, or there is not one per history.
    """
    if filters is None:
        return np.full((batch, 0), "", dtype=object)
    if isinstance(filters, str) or not isinstance(filters, Iterable):
        raise InputError(
            f'`filter` must be a dict, a list of "column=value", or a list of these. Received: {filters!r}.'
        )
    filters = filters if isinstance(filters, Mapping) else list(filters)
    if isinstance(filters, Mapping) or all(isinstance(one, str) for one in filters):
        filters = [filters] * batch
    if len(filters) != batch:
        raise InputError(f"`filter` must have a row per history ({batch}). Received: {len(filters)}.")
    return _padded([_conditions(one, columns) for one in filters])


def _conditions(filter: Filter, columns: Sequence[str]) -> list[str]:
    if isinstance(filter, Mapping):
        for column, value in filter.items():
            if not isinstance(column, str) or not isinstance(value, _SCALARS):
                raise InputError(f"`filter` must hold a text per column. Received: {value!r} for {column!r}.")
        filter = [f"{column}={string(value)}" for column, value in filter.items()]
    elif isinstance(filter, str) or not isinstance(filter, Iterable):
        raise InputError(f'`filter` must hold a dict or a list of "column=value" per history. Received: {filter!r}.')
    conditions = list(filter)
    for condition in conditions:
        if not isinstance(condition, str) or "=" not in condition:
            raise InputError(f'`filter` must hold "column=value". Received: {condition!r}.')
        column = condition.partition("=")[0]
        if not columns:
            raise InputError(
                f"`filter`: the export has no filter columns. Received: {condition!r}. Name some in "
                "`data.catalog.filters` and export again."
            )
        if column not in columns:
            raise InputError(
                f"`filter`: no filter column `{column}`.{nearest(column, columns)} Known: {', '.join(columns)}. "
                "List further ones in `data.catalog.filters` and export again."
            )
    return conditions


def _padded(rows: Sequence[Sequence[str]]) -> np.ndarray:
    padded = np.full((len(rows), max((len(row) for row in rows), default=0)), "", dtype=object)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def for_each(k: int, batch: int) -> np.ndarray:
    """Returns `k` as int32 [batch]; raises `InputError` unless it is an integer >= 1."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < 2**31:
        raise InputError(f"`k` must be an integer >= 1. Received: {k!r}.")
    return np.full(batch, k, np.int32)


def signature_inputs(
    signature: str, inputs: Mapping[str, Any], specs: Mapping[str, tf.TensorSpec]
) -> dict[str, tf.Tensor]:
    """Turns the inputs of a signature into tensors.

    Args:
      signature: its name, for messages.
      inputs: tensors, arrays or nested lists by name.
      specs: the inputs that it takes, by name.

    Raises:
      InputError: an input is missing, unknown, or of another type or shape.
    """
    if inputs.keys() != specs.keys():
        raise InputError(
            f"`inputs` of `{signature}` must be {', '.join(specs)}. Received: {', '.join(inputs) or 'none'}."
        )
    tensors = {}
    for name, spec in specs.items():
        try:
            tensors[name] = tf.convert_to_tensor(inputs[name], spec.dtype)
        except (TypeError, ValueError):  # lists of several lengths, other types
            tensors[name] = None
        if tensors[name] is None or not spec.shape.is_compatible_with(tensors[name].shape):
            shape = ", ".join("any" if size is None else str(size) for size in spec.shape)
            raise InputError(
                f"`inputs` of `{signature}`: `{name}` must be {spec.dtype.name} of the shape [{shape}]. Received: "
                f"{inputs[name]!r:.80}."
            )
    return tensors
