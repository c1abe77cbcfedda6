"""What users ask, as the arrays that signatures take; every mistake is explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mmrec.errors import InputError, nearest
from mmrec.vectors import unicode

Filter = Mapping[str, object] | Sequence[str]
"""What an item must have: {column: value}, or "column=value" strings; all must hold."""


def strings(values: Iterable[str], name: str) -> np.ndarray:
    """Returns str objects [B]; raises `InputError` for anything that is no string."""
    if not isinstance(values, Iterable):
        raise InputError(f"`{name}` must hold item ids as str. Received: {values!r} of type {type(values).__name__}.")
    values = [values] if isinstance(values, str) else list(values)
    for value in values:
        if not isinstance(value, str):
            raise InputError(f"`{name}` must hold item ids as str. Received: {value!r} of type {type(value).__name__}.")
    return np.array([unicode(value) for value in values], dtype=object)


def padded_ids(rows: Iterable[Sequence[str]], name: str) -> np.ndarray:
    """Returns str objects [B, L], padded with "" at the end; raises `InputError` for what is no list of lists."""
    rows = [rows] if isinstance(rows, str) or not isinstance(rows, Iterable) else list(rows)
    for row in rows:
        if isinstance(row, str) or not isinstance(row, Iterable):
            raise InputError(
                f"`{name}` must be a list of lists of item ids, one list per user. Received: {row!r} in it."
            )
    rows = [strings(row, name) for row in rows]
    return _padded(rows)


def rows_for(given: Iterable[Sequence[str]] | None, batch: int, name: str) -> np.ndarray:
    """Returns the item ids given for each of `batch` histories, str objects [batch, R]; none when nothing is given."""
    rows = padded_ids([[]] * batch if given is None else given, name)
    if len(rows) != batch:
        raise InputError(f"`{name}` must have a row per history ({batch}). Received: {len(rows)}.")
    return rows


def filter_rows(given: Filter | Iterable[Filter] | None, batch: int, columns: Sequence[str]) -> np.ndarray:
    """Writes filters as the signature takes them.

    Args:
      given: one filter for all histories, or one per history, or None.
      batch: number of histories.
      columns: the filter columns of the export.

    Returns:
      str objects [batch, M], "column=value"; "" pads.

    Raises:
      InputError: a filter is none, names an unknown column, or there is not one per history.
    """
    if given is None:
        return np.full((batch, 0), "", dtype=object)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f'`filter` must be a dict, a list of "column=value", or a list of these. Received: {given!r}.')
    given = given if isinstance(given, Mapping) else list(given)
    if isinstance(given, Mapping) or all(isinstance(one, str) for one in given):
        given = [given] * batch
    if len(given) != batch:
        raise InputError(f"`filter` must have a row per history ({batch}). Received: {len(given)}.")
    return _padded([_conditions(one, columns) for one in given])


def _conditions(given: Filter, columns: Sequence[str]) -> list[str]:
    if isinstance(given, Mapping):
        for column, value in given.items():
            if not isinstance(column, str) or not isinstance(value, str | int | np.integer):
                raise InputError(f"`filter` must hold a text per column. Received: {value!r} for {column!r}.")
        given = [f"{column}={value}" for column, value in given.items()]
    elif isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f'`filter` must hold a dict or a list of "column=value" per history. Received: {given!r}.')
    conditions = list(given)
    for condition in conditions:
        if not isinstance(condition, str) or "=" not in condition:
            raise InputError(f'`filter` must hold "column=value". Received: {condition!r}.')
        column = condition.partition("=")[0]
        if not columns:
            raise InputError(
                f"`filter`: the export has no filter columns. Received: {condition!r}. Name some in "
                "`data.catalog.filters` and export anew."
            )
        if column not in columns:
            raise InputError(
                f"`filter`: no filter column `{column}`.{nearest(column, columns)} Known: {', '.join(columns)}. "
                "Others must stand in `data.catalog.filters` before the export."
            )
    return conditions


def _padded(rows: Sequence[Sequence[str]]) -> np.ndarray:
    padded = np.full((len(rows), max((len(row) for row in rows), default=0)), "", dtype=object)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def for_each(k: int, batch: int) -> np.ndarray:
    """Returns `k` as int32 [batch]; raises `InputError` when it is no number of answers."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < 2**31:
        raise InputError(f"`k` must be an integer >= 1. Received: {k!r}.")
    return np.full(batch, k, np.int32)
