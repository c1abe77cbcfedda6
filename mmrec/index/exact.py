"""Exact top-k: every item is scored, exclusions and inclusions are exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mmrec.index.rows import Codes, StoredRows
from mmrec.index.top import GROUP, NEVER, answers, beside_query, in_groups, leading, leading_rows, stands_in
from mmrec.traced import traced


class Bounds(NamedTuple):
    """How much is looked at together; answers are the same whatever these are.

    Attributes:
      block_scores: of a block: 2 MiB, which stay in the cache until the maxima of their groups are taken.
      block_values: most values of the rows of a block, 8 MiB: of float16 and int8 they are a copy.
      block_rows: fewest items of a block, a multiple of `GROUP`.
      kept: scores of a batch up to which all are kept, 128 MiB; of more, only the maxima of groups.
      few: exclusions per query up to which only their groups are looked at again; of more, all items are marked.
      marked: items that are marked as fast as the group of one exclusion is looked at again.
      listed: inclusions in a batch up to which only these are scored.
    """

    block_scores: int = 2**19
    block_values: int = 2**21
    block_rows: int = 1024
    kept: int = 2**25
    few: int = 128
    marked: int = 512
    listed: int = 2**18


BOUNDS = Bounds()


class ExactIndex(tf.Module):
    """Finds the items with the largest dot product.

    Items with identical vectors come by row, except where one query alone is asked of more items than scores are kept
    (`Bounds.kept`): the best scores are then computed again, and may be rounded by where they stand.

    Args:
      table: float32 [N + 1, D], by item row, or its codes; row 0 is padding and never an answer.
      storage: how the table is kept, see `StoredRows`; the products are float32, with the vectors as they are kept.
      bounds: of memory and time.
    """

    is_exact = True

    def __init__(self, table: np.ndarray | Codes, storage: str = "float32", bounds: Bounds = BOUNDS):
        super().__init__(name="exact_index")
        self._bounds = lambda: bounds  # a function is not tracked
        self.items = len(table)  # N + 1
        self.stored = StoredRows(table, storage, GROUP)
        vectors, rows = tf.TensorSpec([None, self.stored.dim]), tf.TensorSpec([None, None], tf.int32)
        signature = [vectors, tf.TensorSpec([], tf.int32), rows, tf.TensorSpec([None, None], tf.bool)]
        self._all_in_graph = traced(self._all, signature, autograph=False)

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
        query, exclude = tf.convert_to_tensor(query), _no_rows_if_none(exclude, k)
        width = tf.clip_by_value(tf.reduce_max(tf.pad(k, [[0, 1]])), 0, self.items - 1)

        def among_all():
            never, apart = self._never(exclude, include, allowed)
            # Traced once for all functions that search: it is most of their graphs.
            rank = self._all_in_graph if tf.inside_function() else self._all
            return rank(query, width, apart, never)

        if include is None:
            return answers(*among_all(), k)
        listed = tf.reduce_all(tf.reduce_any(include != 0, axis=1))  # of no query: all, too, and then none is asked
        scores = tf.cond(
            listed & (tf.size(include) <= self._bounds().listed) & (tf.shape(include)[1] > 0),
            lambda: self._listed(query, width, exclude, include, allowed),
            among_all,
        )
        return answers(*scores, k)

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

    def _all(self, query, width, apart, never):
        """Ranks the whole table: what may answer lies in the groups with the largest maxima, see `leading`.

        Args:
          query: float32 [B, D].
          width: int32 [], number of answers per query.
          apart: int32 [B, E], the exclusions, see `_never`.
          never: bool [rows kept, B] or [0, B], what answers no query, see `_never`.
        """
        batch, marked = tf.shape(query)[0], tf.shape(never)[0] > 0
        # Row 0 and the rows of zeros at the end are no items.
        outside = tf.concat([[0], tf.range(self.items, self.stored.count)], axis=0)
        outside = tf.tile(outside[tf.newaxis], [batch, 1])
        out = tf.concat([apart, outside], axis=1)

        kept = batch <= self._bounds().kept // self.stored.count
        held, maxima = self._blocks(query, never, kept)

        def again(group):
            """Returns the rows of groups (int32 [B, G]) and their scores, `NEVER` for what must not answer."""
            rows = in_groups(group)
            places = beside_query(rows)
            mark = tf.cond(marked, lambda: tf.gather_nd(never, places), lambda: tf.zeros_like(rows, tf.bool))
            scores = tf.cond(kept, lambda: tf.gather_nd(held, places), lambda: self.stored.scores_of(query, rows))
            return rows, tf.where(mark | stands_in(rows, out), NEVER, scores)

        touched = out // GROUP  # their maxima may be of what must not answer
        scores = tf.reshape(again(touched)[1], [batch, tf.shape(out)[1], GROUP])
        maxima = tf.tensor_scatter_nd_update(maxima, beside_query(touched), tf.reduce_max(scores, axis=2))
        group = leading(maxima, tf.minimum(width, tf.shape(maxima)[0]))
        rows, scores = again(tf.sort(group))  # sorted, so that `top_k` breaks ties by row
        scores, place = tf.math.top_k(scores, width)
        return tf.gather(rows, place, batch_dims=1), scores

    def _never(self, exclude, include, allowed):
        """Says what must not answer, either by marks of all rows or, of a few exclusions alone, by their rows.

        Returns:
          bool [rows kept, B], the marks; [0, B]: there are none.
          int32 [B, E], the exclusions; [B, 0] where there are marks.
        """
        wide, listed, bounds = tf.shape(exclude)[1], None, self._bounds()
        marked = tf.constant(True) if allowed is not None else wide > min(bounds.few, self.items // bounds.marked)
        if include is not None:
            listed = tf.reduce_any(include != 0, axis=1)
            marked |= tf.reduce_any(listed)

        def marks():
            never = self._marked(exclude)
            if include is not None:
                never |= listed & ~self._marked(tf.maximum(include, 0))
            if allowed is not None:
                never |= tf.pad(~tf.transpose(allowed), [[0, self.stored.count - self.items], [0, 0]])
            return never

        never = tf.cond(marked, marks, lambda: tf.zeros([0, tf.shape(exclude)[0]], tf.bool))
        return never, exclude[:, : tf.where(marked, 0, wide)]

    def _marked(self, rows):
        """Returns bool [rows kept, B]: whether the item row stands in `rows` [B, R]."""
        marks = tf.zeros([self.stored.count, tf.shape(rows)[0]], tf.bool)
        return tf.tensor_scatter_nd_update(marks, beside_query(rows), tf.ones_like(rows, tf.bool))

    def _blocks(self, query, never, kept):
        """Scores the table block by block.

        Args:
          query: float32 [B, D].
          never: bool [rows kept, B], what must not answer; [0, B]: nothing.
          kept: bool [], whether all scores are wanted.

        Returns:
          float32 [rows kept, B], the scores, `NEVER` for what must not answer; empty where they are not `kept`.
          float32 [rows kept / GROUP, B], the largest of each group of rows.
        """
        batch, count, bounds = tf.shape(query)[0], self.stored.count, self._bounds()
        most = max(bounds.block_rows, bounds.block_values // self.stored.dim)
        size = tf.clip_by_value(bounds.block_scores // tf.maximum(batch, 1), bounds.block_rows, most) // GROUP * GROUP

        def step(number, scores, maxima):
            start = number * size
            end = tf.minimum(start + size, count)
            block = self.stored.scores_between(query, start, end)
            block = tf.cond(tf.shape(never)[0] > 0, lambda: tf.where(never[start:end], NEVER, block), lambda: block)
            scores = scores.write(number, block[: tf.where(kept, end - start, 0)])  # all or none
            groups = tf.reshape(block, [(end - start) // GROUP, GROUP, batch])
            return number + 1, scores, maxima.write(number, tf.reduce_max(groups, axis=1))

        blocks = -(-count // size)
        empty = [tf.TensorArray(tf.float32, blocks, infer_shape=False, element_shape=[None, None]) for _ in range(2)]
        _, *joined = tf.while_loop(
            lambda number, *_: number < blocks,
            step,
            (0, *empty),
            parallel_iterations=4,  # blocks whose scores may be held at once
        )
        return tuple(part.concat() for part in joined)


def _no_rows_if_none(rows: tf.Tensor | None, k: tf.Tensor) -> tf.Tensor:
    return tf.zeros([tf.size(k), 0], tf.int32) if rows is None else rows
