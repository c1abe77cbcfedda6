"""Turns columns of lists into tensors and back, without a Python object per value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from mmrec.values import plain as plain_form
from mmrec.values import strings


@dataclass(frozen=True)
class Lists:
    """A list of texts or numbers per row.

    Attributes:
      starts: int64 [R], where each row's values begin.
      lengths: int64 [R], how many values each row has.
      values: the values of all rows: numbers float64 [V], or places in `texts`, int32 [V].
      texts: string [U + 1], the distinct texts; the first is "". None: the values are numbers.
      bad: bool [R], rows with a text that should be a number and is not.
    """

    starts: np.ndarray
    lengths: np.ndarray
    values: np.ndarray
    texts: tf.Tensor | None
    bad: np.ndarray

    def padded(self, rows: np.ndarray, width: int) -> tf.Tensor:
        """Returns some rows (int [B]) as string [B, width] or float64 [B, width], padded at the end by "" or NaN."""
        place = np.arange(width)
        inside = place < self.lengths[rows, np.newaxis]  # [B, width]
        values = np.zeros(inside.shape, self.values.dtype) if self.texts is not None else np.full(inside.shape, np.nan)
        values[inside] = self.values[(self.starts[rows, np.newaxis] + place)[inside]]
        return tf.constant(values) if self.texts is None else tf.gather(self.texts, values)

    def hold(self, wanted: np.ndarray) -> np.ndarray:
        """Returns bool [R], which rows hold one of the texts that `wanted` (bool [U + 1]) marks."""
        before = np.concatenate([[0], np.cumsum(wanted[self.values])])
        return before[self.starts + self.lengths] > before[self.starts]


def lists(column: pa.ChunkedArray, numbers: bool = False, spelt: Callable = lambda texts: texts) -> Lists:
    """Reads a column of lists; a null value is unknown ("" or NaN), and a null list is empty.

    Args:
      column: lists, or texts whose values are separated by a space.
      numbers: whether the values are numbers.
      spelt: maps the distinct texts (str objects [U]) to others, such as ids to the export's spelling.
    """
    array = column.combine_chunks()
    if pa.types.is_null(array.type):
        array = array.cast(pa.list_(pa.string()))
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        array = array.fill_null("")
        filled = pc.not_equal(array, "").to_numpy(zero_copy_only=False)
        array = pc.split_pattern(array, " ")
    else:
        filled = array.is_valid().to_numpy(zero_copy_only=False)
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    starts, values, texts, wrong = np.cumsum(counts) - counts, array.flatten(), None, np.zeros(0, np.int64)
    if numbers:
        values, wrong = as_numbers(values)
    else:
        values, distinct = _codes(values)
        texts = tf.constant(["", *spelt(distinct)], tf.string)
    bad = np.zeros(len(counts), bool)
    bad[np.repeat(np.arange(len(counts)), counts)[wrong]] = True
    return Lists(starts, np.where(filled, counts, 0), values, texts, bad)


def as_texts(values: pa.Array, plain: bool = False) -> np.ndarray:
    """Returns a column as str objects [V], as training reads it (`values.strings`), trimmed.

    Args:
      values: the column, of any type except lists, or a part of it.
      plain: whether whole numbers lose their decimals, because the whole column is such (see `values.WholeNumbers`).
    """
    codes, texts = _codes(values)
    return np.array(["", *(map(plain_form, texts) if plain else texts)], object)[codes]


def as_numbers(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Returns a column as float64 [V] (NaN is empty), and the places of values that are not numbers.

    Texts are parsed as numbers, and times become seconds since 1970 (UTC unless a zone is given).
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = values.cast(pa.timestamp("us", getattr(values.type, "tz", None)), safe=False)
        values = pc.divide(moments.cast(pa.int64()).cast(pa.float64(), safe=False), 1e6)
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        return values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.zeros(0, np.int64)
    texts = pd.Series(as_texts(values), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    return numbers, np.flatnonzero(np.isnan(numbers) & (texts != "").to_numpy(bool))


def _codes(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Returns the place of each value's text, int32 [V] from 1 (0: empty), and the distinct texts, str objects [U]."""
    if pa.types.is_null(values.type):
        values = values.cast(pa.string())
    if pa.types.is_float16(values.type):  # Arrow cannot find distinct values of this type
        values = values.cast(pa.float32())
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    distinct = encoded.dictionary
    if pa.types.is_string(distinct.type) or pa.types.is_large_string(distinct.type):
        distinct = distinct.cast(pa.large_binary())  # texts that are not UTF-8 could not be read
    texts = [text.strip() for text in strings(distinct.to_pandas(integer_object_nulls=True))]
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) + 1
    return codes, np.array(texts, dtype=object)


def columns_of(outputs: dict[str, tf.Tensor]) -> dict[str, pa.Array]:
    """Turns the outputs of a signature into columns of B rows, sorted by name.

    Args:
      outputs: strings or numbers, [B] or [B, K], by name; where `item_ids` holds "", it and its score are left out.
    """
    answered = None
    if "item_ids" in outputs:
        answered = outputs["item_ids"].numpy() != b"" if outputs["item_ids"].shape[1] else None
    return {name: _column(outputs[name], answered) for name in sorted(outputs)}


def _column(values: tf.Tensor, answered: np.ndarray | None) -> pa.Array:
    shape = values.shape
    flat = _strings(tf.reshape(values, [-1])) if values.dtype == tf.string else pa.array(values.numpy().ravel())
    if shape.rank == 1:
        return flat
    lengths = np.full(shape[0], shape[1])
    if answered is not None:
        flat, lengths = flat.filter(pa.array(answered.ravel())), answered.sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), flat)


def _strings(values: tf.Tensor) -> pa.Array:
    """Returns string [V] as a column: the joined strings are its data, and their lengths give its offsets."""
    lengths = tf.strings.length(values).numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    data = tf.strings.reduce_join(values).numpy()
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(data))
