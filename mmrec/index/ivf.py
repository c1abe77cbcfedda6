"""Approximate top-k: only the cells near a query are read; what they cannot answer is ranked exactly."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from mmrec.index.cells import Cells
from mmrec.index.exact import ExactIndex
from mmrec.index.rows import StoredRows, products
from mmrec.index.top import LOWEST, NEVER, answers, leading, leading_rows, stands_in

_LEFT = 4  # candidates that must be left for each answer wanted


class IvfIndex(tf.Module):
    """Finds most of the items with the largest dot product, in core TensorFlow operations.

    Each query reads the cells whose centres score best, and ranks what lies in them by its exact scores. A query is
    ranked exactly instead, alone, when it names what may answer, or when its exclusions and filters leave it fewer than
    four candidates for each answer, or than half of those that were read.

    The vectors are kept twice, by row and by cell: what is read of a cell lies together, so that memory is read as fast
    as it can be.

    Args:
      exact: the table.
      cells: of its rows.
      probes: P, cells that a query reads.
    """

    is_exact = False

    def __init__(self, exact: ExactIndex, cells: Cells, probes: int):
        super().__init__(name="ivf_index")
        self.exact, self.probes = exact, min(probes, len(cells.rows))
        self.by_cell = StoredRows(exact.stored.kept().take(cells.rows.ravel()))
        self.cell_rows = tf.Variable(cells.rows, trainable=False, name="cell_rows")
        self.centres = tf.Variable(cells.centres, trainable=False, name="cell_centres")

    @property
    def stored(self) -> StoredRows:
        """The table as it is kept."""
        return self.exact.stored

    @property
    def nbytes(self) -> int:
        """Bytes of its variables."""
        return sum(part.shape.num_elements() * part.dtype.size for part in self.variables)

    @tf.function(input_signature=[])  # saved with the export
    def embeddings(self):
        """Returns float32 [N + 1, D], the table as it is kept."""
        return self.exact.embeddings()

    def search(
        self,
        query: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor | None = None,
        include: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Ranks near items for each query; arguments and results are those of `ExactIndex.search`."""
        query = tf.convert_to_tensor(query)
        cells = leading(products(self.centres.value(), query), self.probes)  # [B, P]
        size = self.cell_rows.shape[1]
        rows = tf.reshape(tf.gather(self.cell_rows, cells), [tf.shape(query)[0], self.probes * size])  # [B, C]
        never = held = rows == 0
        if exclude is not None:
            never |= stands_in(rows, exclude)
        if allowed is not None:
            never |= ~tf.gather(allowed, rows, batch_dims=1)
        left, read = (tf.reduce_sum(tf.cast(~mask, tf.int32), axis=1) for mask in (never, held))  # [B]
        short = (k > 0) & ((left < _LEFT * tf.minimum(k, self.exact.items)) | (2 * left < read))
        if include is not None:
            short |= tf.reduce_any(include != 0, axis=1)

        width = tf.clip_by_value(tf.reduce_max(tf.pad(k, [[0, 1]])), 0, self.exact.items - 1)
        most = tf.minimum(width, tf.shape(rows)[1])
        scores = tf.where(never, NEVER, self.by_cell.scores_of(query, cells, size))
        rows, scores = answers(*leading_rows(scores, rows, most), k)
        missing = [[0, 0], [0, width - most]]
        rows, scores = tf.pad(rows, missing), tf.pad(scores, missing, constant_values=LOWEST)

        def ranked_exactly():
            which = tf.where(short)[:, 0]
            part = [
                None if given is None else tf.gather(given, which) for given in (query, k, exclude, include, allowed)
            ]
            found_rows, found_scores = self.exact.search(*part)
            rest = [[0, 0], [0, width - tf.shape(found_rows)[1]]]
            found_scores = tf.pad(found_scores, rest, constant_values=LOWEST)
            return (
                tf.tensor_scatter_nd_update(rows, which[:, tf.newaxis], tf.pad(found_rows, rest)),
                tf.tensor_scatter_nd_update(scores, which[:, tf.newaxis], found_scores),
            )

        return tf.cond(tf.reduce_any(short), ranked_exactly, lambda: (rows, scores))


def probes_needed(cells: Cells, queries: np.ndarray, right: np.ndarray, recall: float) -> int:
    """Finds how many cells a query must read, on queries whose answers are known.

    An item that lies in a cell that is read gets its exact score, so it is found.

    Args:
      cells: of the table.
      queries: float32 [Q, D].
      right: int32 [Q, K], the rows that exact search answers with; 0 where there are no more.
      recall: share of `right` to find, at most 1.

    Returns:
      The smallest number, at least 1.
    """
    cell_of = np.zeros(cells.rows.max(initial=0) + 1, np.int64)
    cell_of[cells.rows.ravel()] = np.repeat(np.arange(len(cells.rows)), cells.rows.shape[1])
    needed = []
    for query, rows in zip(queries, right, strict=True):
        scores = cells.centres @ query
        own = scores[cell_of[rows[rows > 0]]]
        needed += (scores >= own[:, np.newaxis]).sum(axis=1).tolist()  # of cells that tie, the last
    needed = np.sort(needed)
    return int(needed[math.ceil(recall * len(needed)) - 1]) if len(needed) else 1
