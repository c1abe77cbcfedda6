"""Approximate top-k search: reads only the cells near a query, and searches exactly what they cannot answer."""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from mmrec.index.cells import Cells
from mmrec.index.exact import ExactIndex
from mmrec.index.rows import StoredRows, products
from mmrec.index.top import LOWEST, NEVER, answers, leading, leading_rows, stands_in


class IvfIndex(tf.Module):
    """Finds most of the items with the largest dot product, in core TensorFlow operations.

    Each query reads the cells whose centres score best, and ranks the items in them by their exact scores. The lower an
    item ranks, the more likely its cell is not read. A query is therefore searched exactly if its last answer ranks
    below `depth` (counting the items that exclusions and filters remove), if less than half of the items read may be
    answers, or if the query has inclusions.

    The vectors are stored twice, by row and by cell: the vectors of a cell are neighbours in memory, and so are read as
    fast as possible.

    Args:
      exact: the exact index of the table.
      cells: cells of its rows.
      probes: P, number of cells that a query reads.
      depth: rank down to which these cells hold enough of the best items, see `depth_held`.
    """

    is_exact = False

    def __init__(self, exact: ExactIndex, cells: Cells, probes: int, depth: int):
        super().__init__(name="ivf_index")
        self.exact, self.probes, self.depth = exact, min(probes, len(cells.rows)), depth
        self.by_cell = StoredRows(exact.stored.kept().take(cells.rows.ravel()))
        self.cell_rows = tf.Variable(cells.rows, trainable=False, name="cell_rows")
        self.centres = tf.Variable(cells.centres, trainable=False, name="cell_centres")

    @property
    def stored(self) -> StoredRows:
        """The table as it is stored."""
        return self.exact.stored

    @property
    def nbytes(self) -> int:
        """Bytes of its variables."""
        return sum(part.shape.num_elements() * part.dtype.size for part in self.variables)

    @tf.function(input_signature=[])  # saved with the export
    def embeddings(self):
        """Returns float32 [N + 1, D], the table as it is stored."""
        return self.stored.take(tf.range(self.exact.items))

    def search(
        self,
        query: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor | None = None,
        include: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Ranks the items near each query; arguments and results are those of `ExactIndex.search`."""
        query = tf.convert_to_tensor(query)
        cells = leading(products(self.centres.value(), query), self.probes)  # [B, P]
        size = self.cell_rows.shape[1]
        rows = tf.reshape(tf.gather(self.cell_rows, cells), [tf.shape(query)[0], self.probes * size])  # [B, C]
        never = lacking = rows == 0
        if exclude is not None:
            never |= stands_in(rows, exclude)
        if allowed is not None:
            never |= ~tf.gather(allowed, rows, batch_dims=1)
        scores = self.by_cell.scores_of(query, cells, size)
        width = tf.clip_by_value(tf.reduce_max(tf.pad(k, [[0, 1]])), 0, self.exact.items - 1)
        most = tf.minimum(width, tf.shape(rows)[1])
        near, best = leading_rows(tf.where(never, NEVER, scores), rows, most)

        wanted, before = tf.minimum(k, self.exact.items - 1), 0
        if never is not lacking:  # number of excluded items that rank before the last answer
            last = tf.gather(tf.pad(best, [[0, 0], [1, 0]]), tf.clip_by_value(k, 0, most)[:, tf.newaxis], batch_dims=1)
            before = tf.math.count_nonzero(never & ~lacking & (scores > last), axis=1, dtype=tf.int32)
        left, read = (tf.reduce_sum(tf.cast(~mask, tf.int32), axis=1) for mask in (never, lacking))  # [B]
        short = (k > 0) & ((left < wanted) | (2 * left < read) | (wanted + before > self.depth))
        if include is not None:
            short |= tf.reduce_any(include != 0, axis=1)

        rows, scores = answers(near, best, k)
        missing = [[0, 0], [0, width - most]]
        rows, scores = tf.pad(rows, missing), tf.pad(scores, missing, constant_values=LOWEST)

        def ranked_exactly():
            which = tf.where(short)[:, 0]
            part = [
                None if tensor is None else tf.gather(tensor, which) for tensor in (query, k, exclude, include, allowed)
            ]
            exact_rows, exact_scores = self.exact.search(*part)
            rest = [[0, 0], [0, width - tf.shape(exact_rows)[1]]]
            exact_scores = tf.pad(exact_scores, rest, constant_values=LOWEST)
            return (
                tf.tensor_scatter_nd_update(rows, which[:, tf.newaxis], tf.pad(exact_rows, rest)),
                tf.tensor_scatter_nd_update(scores, which[:, tf.newaxis], exact_scores),
            )

        return tf.cond(tf.reduce_any(short), ranked_exactly, lambda: (rows, scores))


def cells_needed(cells: Cells, queries: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Counts the cells that a query must read to find each of its right answers.

    An item in a cell that is read gets its exact score, so it is found.

    Args:
      cells: the cells of the table.
      queries: float32 [Q, D].
      right: int32 [Q, K], the answers of exact search, padded with 0.

    Returns:
      int64 [Q, K], at least 1; 0 where `right` is 0.
    """
    cell_of = np.zeros(cells.rows.max(initial=0) + 1, np.int64)
    cell_of[cells.rows.ravel()] = np.repeat(np.arange(len(cells.rows)), cells.rows.shape[1])
    needed = np.zeros(right.shape, np.int64)
    for query, rows, counts in zip(queries, right, needed, strict=True):
        scores = cells.centres @ query
        counts[:] = len(scores) - np.searchsorted(np.sort(scores), scores[cell_of[rows]])  # of tied cells, the last
    return np.where(right > 0, needed, 0)


def probes_needed(needed: np.ndarray, recall: float) -> int:
    """Returns the least number of cells, at least 1, that a query must read to find enough items.

    Args:
      needed: int64 [Q, K], see `cells_needed`.
      recall: share of the items that must be found, in 0..1.
    """
    needed = np.sort(needed[needed > 0])
    return int(needed[math.ceil(recall * len(needed)) - 1]) if len(needed) else 1


def depth_held(needed: np.ndarray, probes: int, answers: int, recall: float) -> int:
    """Finds the rank down to which enough of the best items are found.

    Args:
      needed: int64 [Q, M], for the best items, best first; see `cells_needed`.
      probes: number of cells that are read.
      answers: K; recall is measured over each K consecutive ranks. The first K always count as enough.
      recall: share of each K consecutive items that must be found.

    Returns:
      A rank from K to M, or K if K is more than M.
    """
    there = np.pad(np.cumsum((needed > 0).sum(axis=0)), (1, 0))
    reached = np.pad(np.cumsum(((needed > 0) & (needed <= probes)).sum(axis=0)), (1, 0))
    there, reached = (sums[answers:] - sums[:-answers] for sums in (there, reached))  # over ranks i + 1 to i + K
    lost = np.flatnonzero(reached[1:] < recall * there[1:])
    return answers + int(lost[0] if len(lost) else max(0, len(reached) - 1))
