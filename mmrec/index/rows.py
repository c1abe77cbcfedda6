"""Stores item embeddings by row in 4, 2 or 1 bytes per number; products are always float32."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmrec.errors import InputError

_MOST = 2**24  # values copied at once: 64 MiB


@dataclass(frozen=True)
class Codes:
    """The stored form of a table of vectors.

    Attributes:
      values: float32, float16 or int8 [R, D].
      scale: float32 [R], the factor of each row's values, for int8; else None.
    """

    values: np.ndarray
    scale: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def storage(self) -> str:
        """The number format: `float32`, `float16` or `int8`."""
        return self.values.dtype.name

    def vectors(self) -> np.ndarray:
        """Returns float32 [R, D], the vectors as they are read."""
        floats = self.values.astype(np.float32)
        return floats if self.scale is None else floats * self.scale[:, np.newaxis]

    def take(self, rows: np.ndarray) -> Codes:
        """Returns the codes of some rows, int [R]."""
        return Codes(self.values[rows], None if self.scale is None else self.scale[rows])

    def rounding(self) -> np.ndarray:
        """Returns float32 [R], the largest rounding error of a value in each row."""
        if self.scale is not None:
            return self.scale / 2
        bits = 11 if self.storage == "float16" else np.inf
        return np.abs(self.vectors()).max(axis=1, initial=0.0) * np.float32(2.0**-bits)


def encode(table: np.ndarray, storage: str) -> Codes:
    """Rounds a table to its stored form, each row on its own; see `StoredRows`.

    Args:
      table: float32 [R, D].
      storage: `float32`, `float16` or `int8`.

    Raises:
      InputError: a value does not fit into float16.
    """
    table = np.asarray(table, np.float32)
    if storage == "int8":
        largest = np.abs(table).max(axis=1, initial=0.0)
        scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
        return Codes(np.rint(table / scale[:, np.newaxis]).astype(np.int8), scale)
    if storage == "float16":
        largest = float(np.abs(table).max(initial=0.0))
        if largest > np.finfo(np.float16).max:
            raise InputError(
                "`export.index_storage: float16` holds values up to 65,504. "
                f"Received: {largest:g}. Use `int8` or `float32`."
            )
        return Codes(table.astype(np.float16))
    return Codes(table)


class StoredRows(tf.Module):
    """A stored table of vectors, which is read in parts.

    `float16` halves the bytes and rounds to 11 significant bits. `int8` takes a quarter of the bytes and 4 more per
    row, and rounds to 1/127 of the row's largest value. Every use reads the rounded values.

    Args:
      table: float32 [N + 1, D]; or codes, which are stored unchanged.
      storage: `float32`, `float16` or `int8`; codes keep their own.
      multiple: rows of zeros are added until the number of rows is a multiple of this.
      gathered: largest number of values that `scores_of` copies at once.

    Raises:
      InputError: a value does not fit into float16.
    """

    def __init__(self, table: np.ndarray | Codes, storage: str = "float32", multiple: int = 1, gathered: int = _MOST):
        super().__init__(name="stored_rows")
        self._gathered = gathered
        codes = table if isinstance(table, Codes) else encode(table, storage)
        lacking = (0, -len(codes) % multiple)
        values = np.pad(codes.values, [lacking, (0, 0)])
        self.count, self.dim = values.shape
        self.scale = None
        if codes.scale is not None:
            scale = np.pad(codes.scale, lacking, constant_values=1)
            self.scale = tf.Variable(scale, trainable=False, name="item_scale")
        self.codes = tf.Variable(values, trainable=False, name="item_table")

    @property
    def nbytes(self) -> int:
        """Bytes of the stored table."""
        return sum(part.shape.num_elements() * part.dtype.size for part in self.variables)

    def kept(self) -> Codes:
        """Returns the stored table, including the added rows."""
        return Codes(self.codes.numpy(), None if self.scale is None else self.scale.numpy())

    def take(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns float32 [..., D], the vectors of some rows (int32 [...])."""
        vectors = tf.cast(_picked(self.codes, rows), tf.float32)
        return vectors if self.scale is None else vectors * _picked(self.scale, rows)

    def scores_between(self, query: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        """Returns float32 [end - start, B], the products of neighbouring rows with queries (float32 [B, D])."""
        rows = tf.cast(self.codes[start:end], tf.float32)
        scores = products(rows, query)
        return scores if self.scale is None else scores * self.scale[start:end, tf.newaxis]

    def scores_of(self, query: tf.Tensor, runs: tf.Tensor, size: int = 1) -> tf.Tensor:
        """Scores a list of rows per query; memory does not grow with the batch.

        Args:
          query: float32 [B, D].
          runs: int32 [B, C], numbers of runs of neighbouring rows: run i begins with row `i * size`.
          size: S, rows per run; the number of stored rows is a multiple of it.

        Returns:
          float32 [B, C * S], products.
        """
        count, wide = tf.shape(query)[0], tf.shape(runs)[1] * size
        most = tf.maximum(1, self._gathered // self.dim // tf.maximum(1, wide))

        def in_blocks():
            blocks = -(-count // most)
            missing = [[0, blocks * most - count], [0, 0]]
            parts = [tf.pad(part, missing) for part in (query, runs)]
            parts = tuple(tf.reshape(part, [blocks, most, tf.shape(part)[1]]) for part in parts)
            scores = tf.map_fn(
                lambda part: self._scores_of(*part, size), parts, parallel_iterations=1, fn_output_signature=tf.float32
            )
            return tf.reshape(scores, [blocks * most, wide])[:count]

        return tf.cond(count <= most, lambda: self._scores_of(query, runs, size), in_blocks)

    def _scores_of(self, query, runs, size):
        shape = [tf.shape(runs)[0], tf.shape(runs)[1] * size]
        vectors = tf.cast(_picked(self.codes, runs, size), tf.float32)
        scores = tf.matmul(tf.reshape(vectors, [*shape, self.dim]), query[:, :, tf.newaxis])
        scores = tf.reshape(scores, shape)
        return scores if self.scale is None else scores * tf.reshape(_picked(self.scale, runs, size), shape)


def products(vectors: tf.Tensor, query: tf.Tensor) -> tf.Tensor:
    """Returns float32 [M, B], the products of vectors (float32 [M, D]) with queries (float32 [B, D])."""
    return tf.cond(
        tf.shape(query)[0] == 1,  # faster this way for one query, the other way for several
        lambda: tf.transpose(tf.matmul(query, vectors, transpose_b=True)),
        lambda: tf.matmul(vectors, query, transpose_b=True),
    )


def _picked(table: tf.Variable, runs: tf.Tensor, size: int = 1) -> tf.Tensor:
    """Gathers from a variable's value: once the variable itself is gathered from, every read copies all of it."""
    shape = [table.shape[0] // size, math.prod(table.shape[1:]) * size]
    return tf.gather(tf.reshape(table.value(), shape), runs)
