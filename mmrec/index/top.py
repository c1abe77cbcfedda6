"""Finds the largest scores of each query, ties by row, and the rows that are in a list."""

from __future__ import annotations

import tensorflow as tf

GROUP = 16
"""Number of neighbouring scores in a group, whose maximum is compared first."""

LOWEST = tf.float32.min
"""Score where there is no answer: the lowest finite float32."""

NEVER = -float("inf")
"""Score, during ranking, of rows that must not be answers."""


def leading(scores: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """Finds the places of the largest scores, ties by place; faster than `top_k` over a long column.

    The k largest are in the k groups with the largest maxima: a score in any other group is beaten by k maxima.

    Args:
      scores: float32 [M, B].
      k: int32 [], at most M.

    Returns:
      int32 [B, k].
    """
    scores = tf.pad(scores, [[0, -tf.shape(scores)[0] % GROUP], [0, 0]], constant_values=NEVER)
    groups, batch = tf.shape(scores)[0] // GROUP, tf.shape(scores)[1]
    maxima = tf.transpose(tf.reduce_max(tf.reshape(scores, [groups, GROUP, batch]), axis=1))  # [B, groups]
    near = tf.sort(tf.math.top_k(maxima, tf.minimum(k, groups), sorted=False).indices)  # by place
    place = in_groups(near)
    best = tf.math.top_k(tf.gather_nd(scores, beside_query(place)), k).indices
    return tf.gather(place, best, batch_dims=1)


def in_groups(group: tf.Tensor) -> tf.Tensor:
    """Returns int32 [B, G * GROUP], the places in these groups (int32 [B, G])."""
    place = group[:, :, tf.newaxis] * GROUP + tf.range(GROUP)
    return tf.reshape(place, [tf.shape(group)[0], tf.shape(group)[1] * GROUP])


def beside_query(rows: tf.Tensor) -> tf.Tensor:
    """Returns int32 [B, R, 2], row and query: a single flat number per place would overflow int32."""
    query = tf.broadcast_to(tf.range(tf.shape(rows)[0])[:, tf.newaxis], tf.shape(rows))
    return tf.stack([rows, query], axis=2)


def leading_rows(scores: tf.Tensor, rows: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the largest scores of rows in any order.

    Args:
      scores: float32 [B, C]; `NEVER` for rows that must not be answers.
      rows: int32 [B, C].
      k: int32 [], at most C.

    Returns:
      rows and scores, int32 and float32 [B, k], best first, ties by row.
    """
    best = tf.math.top_k(scores, k)
    last = tf.reduce_min(best.values, axis=1, keepdims=True)  # [B, 1]

    def first_rows_that_tie():
        order = tf.where(scores > last, tf.int32.max, tf.where(scores == last, -rows, tf.int32.min))
        return tf.math.top_k(order, k).indices

    tie = tf.math.count_nonzero(scores >= last, axis=1, dtype=tf.int32) > k  # for the last places
    kept = tf.cond(tf.reduce_any(tie), first_rows_that_tie, lambda: best.indices)
    rows, scores = (tf.gather(values, kept, batch_dims=1) for values in (rows, scores))
    by_row = tf.argsort(rows, axis=1)
    rows, scores = (tf.gather(values, by_row, batch_dims=1) for values in (rows, scores))
    scores, by_score = tf.math.top_k(scores, k)
    return tf.gather(rows, by_score, batch_dims=1), scores


def stands_in(rows: tf.Tensor, lists: tf.Tensor) -> tf.Tensor:
    """Returns bool [B, C]: whether each of `rows` (int32 [B, C]) is in the list (int32 [B, E]) of its query."""
    lists = tf.sort(tf.pad(lists, [[0, 1], [0, 1]], constant_values=tf.int32.max), axis=1)  # never empty, nor the batch
    rows = tf.pad(rows, [[0, 1], [0, 0]])
    place = tf.searchsorted(lists, rows)
    return (tf.gather(lists, place, batch_dims=1) == rows)[:-1]


def answers(rows: tf.Tensor, scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Blanks rows with score `NEVER`, and those after the k (int32 [B]) wanted ones: row 0, score `LOWEST`."""
    wanted = tf.range(tf.shape(rows)[1])[tf.newaxis] < k[:, tf.newaxis]
    answer = wanted & (scores > NEVER)
    return tf.where(answer, rows, 0), tf.where(answer, scores, LOWEST)
