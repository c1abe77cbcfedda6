"""Exact top-k: every item is scored, exclusions and inclusions are exact."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec.index.rows import Codes, StoredRows
from mmrec.index.top import GROUP, NEVER, answers, leading, leading_rows, stands_in

_BLOCK_SCORES = 2**21  # 8 MiB of scores at once: they stay in the cache until their best are found
_BLOCK_ROWS = 8192, 65536  # fewest and most items at once
_FEW = 1024  # exclusions per query up to which each block looks for its own; with more, all are marked before
_LISTED = 2**18  # inclusions in a batch up to which only these are scored


class ExactIndex(tf.Module):
    """Finds the items with the largest dot product.

    Args:
      table: float32 [N + 1, D], by item row, or its codes; row 0 is padding and never an answer.
      storage: how the table is kept, see `StoredRows`; the products are float32, with the vectors as they are kept.
    """

    is_exact = True

    def __init__(self, table: np.ndarray | Codes, storage: str = "float32"):
        super().__init__(name="exact_index")
        self.items = len(table)  # N + 1
        self.stored = StoredRows(table, storage, GROUP)

    @property
    def nbytes(self) -> int:
        """Bytes of its variables."""
        return self.stored.nbytes

    @tf.function(input_signature=[])  # saved with the export
    def embeddings(self):
        """Returns float32 [N + 1, D], the table as it is kept."""
        return self.stored.take(tf.range(self.items))

    def search(
        self,
        query: tf.Tensor,
        k: tf.Tensor,
        exclude: tf.Tensor | None = None,
        include: tf.Tensor | None = None,
        allowed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Ranks all items for each query.

        Args:
          query: float32 [B, D].
          k: int32 [B], answers wanted for each query; less than 1 gives none.
          exclude: int32 [B, E], item rows that are no answer; 0 stands for none.
          include: int32 [B, F], item rows that alone are answers, where the row holds any; 0 stands for none,
            and a negative one for an item that is not here: where only such are given, there is no answer.
          allowed: bool [B, N + 1], by item row: whether it may answer.

        Returns:
          rows: int32 [B, K], K the largest k but at most N; best first, ties by row; 0 where there is no answer.
          scores: float32 [B, K]; `LOWEST` where there is no answer.
        """
        query, exclude = tf.convert_to_tensor(query), _given(exclude, k)
        width = tf.clip_by_value(tf.reduce_max(tf.pad(k, [[0, 1]])), 0, self.items - 1)
        if include is None:
            found = self._all(query, width, exclude, None, allowed)
        else:
            listed = tf.reduce_any(include != 0, axis=1)
            few = tf.reduce_all(listed) & (tf.size(include) <= _LISTED)  # of no query: all, too, and then none is asked
            found = tf.cond(
                few & (tf.shape(include)[1] > 0),
                lambda: self._listed(query, width, exclude, include, allowed),
                lambda: tf.cond(
                    tf.reduce_any(listed),
                    lambda: self._all(query, width, exclude, include, allowed),
                    lambda: self._all(query, width, exclude, None, allowed),
                ),
            )
        return answers(*found, k)

    def _listed(self, query, width, exclude, include, allowed):
        """Ranks what stands in `include` alone."""
        rows = tf.sort(tf.maximum(include, 0), axis=1)
        never = tf.pad(rows[:, 1:] == rows[:, :-1], [[0, 0], [1, 0]]) | (rows == 0) | stands_in(rows, exclude)
        if allowed is not None:
            never |= ~tf.gather(allowed, rows, batch_dims=1)
        scores = tf.where(never, NEVER, self.stored.scores_of(query, rows))
        most = tf.minimum(width, tf.shape(rows)[1])
        rows, scores = leading_rows(scores, rows, most)
        missing = [[0, 0], [0, width - most]]
        return tf.pad(rows, missing), tf.pad(scores, missing, constant_values=NEVER)

    def _all(self, query, width, exclude, include, allowed):
        """Ranks the whole table, a block after the other."""
        batch = tf.shape(query)[0]
        # Row 0 and the rows of zeros at the end are no items.
        outside = tf.concat([[0], tf.range(self.items, self.stored.count)], axis=0)
        outside = tf.tile(outside[tf.newaxis], [batch, 1])
        few = lambda: self._blocks(query, width, tf.concat([exclude, outside], axis=1), None)  # noqa: E731
        many = lambda: self._blocks(query, width, outside, self._never(exclude, include, allowed))  # noqa: E731
        if include is not None or allowed is not None:
            return many()
        return tf.cond(tf.shape(exclude)[1] <= _FEW, few, many)

    def _never(self, exclude, include, allowed):
        """Returns bool [B, rows kept]: what must not answer."""
        never = self._marked(exclude)
        if include is not None:
            listed = tf.reduce_any(include != 0, axis=1, keepdims=True)
            never |= listed & ~self._marked(tf.maximum(include, 0))
        if allowed is not None:
            never |= tf.pad(~allowed, [[0, 0], [0, self.stored.count - self.items]])
        return never

    def _marked(self, rows):
        """Returns bool [B, rows kept]: whether the item row stands in `rows` [B, R]."""
        marks = tf.zeros([tf.shape(rows)[0], self.stored.count], tf.bool)
        return tf.tensor_scatter_nd_update(marks, _places(rows), tf.ones_like(rows, tf.bool))

    def _blocks(self, query, width, out, never):
        """Keeps the best of what was seen, block by block.

        Args:
          query: float32 [B, D].
          width: int32 [], K.
          out: int32 [B, E], rows that must not answer.
          never: bool [B, rows kept], more of them, or None.
        """
        batch = tf.shape(query)[0]
        size = tf.clip_by_value(_BLOCK_SCORES // tf.maximum(batch, 1), *_BLOCK_ROWS)
        size = size // GROUP * GROUP

        def step(start, rows, scores):
            end = tf.minimum(start + size, self.stored.count)
            found = self.stored.scores_between(query, start, end)
            here = (out >= start) & (out < end)
            found = tf.tensor_scatter_nd_min(  # in place; what lies elsewhere leaves the first column as it is
                found, _places(tf.where(here, out - start, 0)), tf.where(here, NEVER, float("inf"))
            )
            if never is not None:
                found = tf.where(never[:, start:end], NEVER, found)
            place = leading(found, tf.minimum(width, end - start))
            # Earlier rows stand first, so that `top_k` breaks ties by row here too.
            rows = tf.concat([rows, start + place], axis=1)
            scores, place = tf.math.top_k(
                tf.concat([scores, tf.gather(found, place, batch_dims=1)], axis=1),
                tf.minimum(width, tf.shape(rows)[1]),
            )
            return end, tf.gather(rows, place, batch_dims=1), scores

        _, rows, scores = tf.while_loop(
            lambda start, *_: start < self.stored.count,
            step,
            (0, tf.zeros([batch, 0], tf.int32), tf.zeros([batch, 0])),
            (tf.TensorShape([]), tf.TensorShape([None, None]), tf.TensorShape([None, None])),
            parallel_iterations=4,  # blocks whose scores may be held: one is searched while the next are scored
        )
        return rows, scores


def _given(rows: tf.Tensor | None, k: tf.Tensor) -> tf.Tensor:
    return tf.zeros([tf.size(k), 0], tf.int32) if rows is None else rows


def _places(rows: tf.Tensor) -> tf.Tensor:
    """Returns int32 [B, R, 2], query and row: one flat number a place would overflow int32."""
    query = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    return tf.stack([query, rows], axis=2)
