"""Turns the context of histories into the arrays that signatures take, and explains every mistake."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.date_times import read_date_times
from mmrec.errors import InputError, nearest
from mmrec.serving.questions import is_scalar
from mmrec.values import string
from mmrec.vectors import is_nothing

Context = Mapping[str, Sequence]
"""What is known beside B histories, by signature input: B values, or B sequences with a value for each item."""


def context_inputs(
    context: Context | None,
    histories: np.ndarray,
    inputs: Mapping[str, tf.TensorSpec],
    time_formats: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Turns the context into arrays; inputs that are not given are unknown.

    Args:
      context: values by input; None and NaN are unknown.
      histories: str objects [B, L], padded with "" at the end.
      inputs: what the export reads beside histories.
      time_formats: formats of date-times in training, see `data.interactions.timestamp_format`; empty: numbers.

    Returns:
      By input, float [B] or [B, L] (NaN is unknown) or str objects ("" is unknown).

    Raises:
      InputError: an input is not one of the export's, or has not one value for each history or for each of its items.
    """
    context = {} if context is None else context
    if not isinstance(context, Mapping):
        raise InputError(f"`context` must be a dict of {', '.join(inputs) or 'nothing'}. Received: {context!r:.80}.")
    for name in context:
        if name not in inputs:
            reads = f"It reads: {', '.join(inputs)}." if inputs else "It reads histories alone."
            raise InputError(f"`context`: the export does not read `{name}`.{nearest(name, inputs)} {reads}")
    read = {}
    for name, spec in inputs.items():
        text = spec.dtype == tf.string
        shape = histories.shape[: spec.shape.rank]
        read[name] = np.full(shape, "", object) if text else np.full(shape, np.nan, spec.dtype.as_numpy_dtype)
        times = time_formats if name in (schema.HISTORY_TIME, schema.NOW) else ()
        for place, row in enumerate(_listed(context.get(name), len(histories), name)):
            if spec.shape.rank == 1:
                read[name][place] = _value(row, text, name, times)
            elif row is not None:
                values = [_value(value, text, name, times) for value in _listed(row, None, name)]
                fewest = int(np.max(np.flatnonzero(histories[place] != ""), initial=-1)) + 1
                if not fewest <= len(values) <= histories.shape[1]:
                    raise InputError(
                        f"`context`: `{name}` must have a value per item of the history, {fewest} in row "
                        f"{place + 1:,}. Received: {len(values)}. Put None where one is unknown."
                    )
                read[name][place, : len(values)] = values
    return read


def _listed(values: Any, count: int | None, name: str) -> list:
    """Returns values as a list, of `count` values if that is given; an empty one for None."""
    if values is None:
        return []
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"`context`: `{name}` must hold a list. Received: {values!r:.80}.")
    values = list(values)
    if count is not None and len(values) != count:
        raise InputError(f"`context`: `{name}` must have a row per history ({count}). Received: {len(values)}.")
    return values


def _value(value: Any, text: bool, name: str, time_formats: Sequence[str] = ()) -> str | float:
    if is_nothing(value):
        return "" if text else np.nan
    if text and is_scalar(value):
        return string(value).strip()
    if not text and isinstance(value, int | float | np.number) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # an integer of hundreds of digits
            return float(value)
    if time_formats and isinstance(value, str | date | np.datetime64):
        seconds = read_date_times(pd.Series([value], dtype=object), time_formats).seconds[0]
        if np.isfinite(seconds):
            return float(seconds)
    kind = "texts" if text else "numbers"
    kind += f", date-times of the form {' or '.join(map(repr, time_formats))}" if time_formats else ""
    raise InputError(f"`context`: `{name}` must hold {kind} or None. Received: {value!r:.80}.")
