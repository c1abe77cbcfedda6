"""The largest scores of each query, ties by row, and which rows stand in a list."""

from __future__ import annotations

import tensorflow as tf

GROUP = 16
"""Neighbouring scores whose maximum is looked at first."""

LOWEST = tf.float32.min
"""Score beside an answer that does not exist: the lowest finite float32."""

NEVER = -float("inf")
"""Score of what must not answer, while it is ranked."""


def leading(scores: tf.Tensor, k: tf.Tensor) -> tf.Tensor:
    """Finds the places of the largest scores, ties by place; several times as fast as `top_k` over a wide row.

    The k largest lie in the k groups with the largest maxima: whatever lies in another is beaten by k maxima.

    Args:
      scores: float32 [B, M].
      k: int32 [], at most M.

    Returns:
      int32 [B, k].
    """
    scores = tf.pad(scores, [[0, 0], [0, -tf.shape(scores)[1] % GROUP]], constant_values=NEVER)
    groups = tf.reshape(scores, [tf.shape(scores)[0], tf.shape(scores)[1] // GROUP, GROUP])
    near = tf.minimum(k, tf.shape(groups)[1])
    group = tf.sort(tf.math.top_k(tf.reduce_max(groups, axis=2), near, sorted=False).indices)  # by place
    among = tf.reshape(tf.gather(groups, group, batch_dims=1), [tf.shape(scores)[0], near * GROUP])
    place = tf.math.top_k(among, k).indices
    return tf.gather(group, place // GROUP, batch_dims=1) * GROUP + place % GROUP


def leading_rows(scores: tf.Tensor, rows: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the largest scores of rows that stand in any order.

    Args:
      scores: float32 [B, C]; `NEVER` beside what must not answer.
      rows: int32 [B, C].
      k: int32 [], at most C.

    Returns:
      rows and scores, int32 and float32 [B, k], best first, ties by row.
    """
    last = tf.reduce_min(tf.math.top_k(scores, k).values, axis=1, keepdims=True)  # [B, 1]
    # Of those that tie for the last places, the first rows get them.
    order = tf.where(scores > last, tf.int32.max, tf.where(scores == last, -rows, tf.int32.min))
    kept = tf.math.top_k(order, k).indices
    rows, scores = (tf.gather(values, kept, batch_dims=1) for values in (rows, scores))
    by_row = tf.argsort(rows, axis=1)
    rows, scores = (tf.gather(values, by_row, batch_dims=1) for values in (rows, scores))
    scores, by_score = tf.math.top_k(scores, k)
    return tf.gather(rows, by_score, batch_dims=1), scores


def stands_in(rows: tf.Tensor, lists: tf.Tensor) -> tf.Tensor:
    """Returns bool [B, C]: whether each of `rows` (int32 [B, C]) stands in the list (int32 [B, E]) of its query."""
    lists = tf.sort(tf.pad(lists, [[0, 1], [0, 1]], constant_values=tf.int32.max), axis=1)  # never empty, nor the batch
    rows = tf.pad(rows, [[0, 1], [0, 0]])
    place = tf.searchsorted(lists, rows)
    return (tf.gather(lists, place, batch_dims=1) == rows)[:-1]


def answers(rows: tf.Tensor, scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Blanks what is no answer: `NEVER`, and what comes after the k (int32 [B]) that are wanted; rows become 0."""
    wanted = tf.range(tf.shape(rows)[1])[tf.newaxis] < k[:, tf.newaxis]
    answer = wanted & (scores > NEVER)
    return tf.where(answer, rows, 0), tf.where(answer, scores, LOWEST)
