"""Hard negatives: the wrong items that a query scores highest in a table of all items."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec.models.logits import REMOVED

_SCORES = 2**22  # scores held at once while the table is searched: 16 MiB
_FEWEST, _MOST = 16, 256  # queries in a block


class HardNegatives:
    """Finds the highest-scoring wrong items of each query, and scores them.

    The table holds the item embeddings of the last `follow`, and zeros before the first. No gradient flows into it, so
    hard negatives move queries only. Checkpoints and exports do not hold it: training calls `follow` at its start, also
    when it resumes, and every `training.refresh_steps`.

    Args:
      count: H, the number of hard negatives per query.
      competing: bool [N + 1], the item rows that may be found.
      dim: D, width of an item embedding.
      block: queries that are searched for at once. None: as many as hold scores of 16 MiB, 16 to 256.

    Source: Xiong et al., ICLR 2021, arXiv:2007.00808 (ANCE). They encode the negatives again, and refresh their index
      in parallel to training; we search all items, take the table's embeddings, and refresh it within training.
    """

    def __init__(self, count: int, competing: np.ndarray, dim: int, block: int | None = None):
        self._count = min(count, int(competing.sum()))
        self._block = block or min(max(_SCORES // len(competing), _FEWEST), _MOST)
        self._competing = tf.constant(competing)
        self._table = tf.Variable(tf.zeros([len(competing), dim]), trainable=False, name="item_table")

    def follow(self, table: np.ndarray) -> None:
        """Replaces the table by the current item embeddings: float32 [N + 1, D]."""
        self._table.assign(table)

    def __call__(self, query, answer, history, taken):
        """Finds the hard negatives of each query, and scores them.

        Args:
          query: float32 [Q, D], divided by the temperature.
          answer: int32 [Q], the item row of each query's right answer, which is never found.
          history: int32 [Q], the history that each query belongs to.
          taken: int32 [P, 2], (history, item row) pairs that must not be found; in order of the histories.

        Returns:
          int32 [Q, H], the item rows, and float32 [Q, H], their logits, best first. Where items run out: row 0 and the
          logit `REMOVED`.
        """
        histories = tf.reduce_max(history, axis=0) + 1
        taken = tf.boolean_mask(taken, taken[:, 0] < histories)
        by_history = tf.RaggedTensor.from_value_rowids(taken[:, 1], taken[:, 0], nrows=histories)
        table, queries = tf.stop_gradient(self._table), tf.shape(query)[0]
        size = self._block
        blocks = -(-queries // size)

        def best(block):
            asked, right, of = block  # [S, D], [S], [S]
            scores = tf.matmul(asked, table, transpose_b=True)  # [S, N + 1]
            scores = tf.where(self._competing, scores, REMOVED)
            liked = tf.gather(by_history, of)  # [S, any number]
            places = tf.stack([liked.value_rowids(), liked.values], axis=1)
            places = tf.concat([places, tf.stack([tf.range(size), right], axis=1)], axis=0)
            scores = tf.tensor_scatter_nd_update(scores, places, tf.fill(tf.shape(places)[:1], REMOVED))
            top, rows = tf.math.top_k(scores, self._count)
            return tf.where(top > REMOVED, rows, 0)

        def in_blocks(values):
            padding = [[0, blocks * size - queries], *[[0, 0]] * (len(values.shape) - 1)]
            return tf.reshape(tf.pad(values, padding), [blocks, size, *values.shape[1:]])

        blocked = (in_blocks(tf.stop_gradient(query)), in_blocks(answer), in_blocks(history))
        rows = tf.map_fn(best, blocked, fn_output_signature=tf.int32, parallel_iterations=1)  # [blocks, S, H]
        rows = tf.reshape(rows, [-1, self._count])[:queries]
        scores = tf.linalg.matvec(tf.gather(table, rows), query)  # [Q, H]
        return rows, tf.where(rows > 0, scores, REMOVED)
