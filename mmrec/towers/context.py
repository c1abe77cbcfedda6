"""The context tower: when items of a history came, what was done with them, and who asks."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
from tf_keras import layers

from mmrec import schema
from mmrec.config.query import QueryConfig

# Edges of the buckets, in typical gaps. Gaps are often whole multiples of each other, none of which is near an edge:
# rounding in another unit of time, or of times since 1970 in float64, moves none of them into another bucket.
_EDGES = [2.0 ** (power - 0.5) for power in range(-28, 29)]


class ContextTower(layers.Layer):
    """Changes how a history's items are read, and moves the queries.

    Each event type, and each bucket of the time between an item and the one before it, scales and shifts the item's
    embedding, so that a returned item can count against similar items. The bucket of the time between a prefix's last
    item and its question, and the user's attributes, are added to the history tower's output. In training a prefix's
    question is asked when the next item comes: one row of times serves all prefixes, and none sees a later time. (The
    time from each item to the question would differ by prefix, and cost a pass of the history tower for each.)

    All tables begin at zero, so types and buckets that training lacks change nothing. Missing context is read like
    context that dropout hides.

    Args:
      dim: W, width of the item embeddings.
      config: what is read, and the dropout.
      event_types: number of types, the first of them "not given".
      user_tower: reads the attributes of users, see `modalities.attributes.tower`; None: there are none.
      typical_gap: time between events, above 0, in the unit of the timestamps: buckets are of multiples of it, so that
        the unit does not matter.

    Source: scale and shift as in FiLM, Perez et al., AAAI 2018, arXiv:1709.07871.
    """

    def __init__(
        self,
        dim: int,
        config: QueryConfig,
        event_types: int,
        user_tower: layers.Layer | None = None,
        typical_gap: float = 1.0,
        **kwargs,
    ):
        super().__init__(name="context_tower", **kwargs)
        self.user_tower, self._hidden, self._typical_gap = user_tower, config.context_dropout, typical_gap
        self.gap_item = self.gap_query = self.event_item = None
        if "time_gap" in config.context:
            self.gap_item = self._table("gap_item", len(_EDGES) + 1, 2 * dim)
            self.gap_query = self._table("gap_query", len(_EDGES) + 1, dim)
        if "event" in config.context:
            self.event_item = self._table("event_item", event_types - 1, 2 * dim)

    def call(
        self, items: tf.Tensor, context: Mapping[str, tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Reads the context; missing keys are unknown.

        Args:
          items: float32 [B, L, W], as for the history tower.
          context: `history_time` float64 [B, L + 1], when each item came, then the question; NaN is unknown.
            `history_event` int32 [B, L], types, 0 is unknown. `user_...`: what `user_tower` reads as `attributes_...`.
          training: whether dropout is active.

        Returns:
          float32 [B, L, W], the items for the history tower; and float32 [B, L + 1, W] or [B, 1, W], what to add to
          its output.
        """
        film, moved = [], tf.zeros_like(items[:, :1])
        if self.gap_item is not None and schema.HISTORY_TIME in context:
            bucket = gap_bucket(context[schema.HISTORY_TIME], self._typical_gap)
            bucket = self._some(bucket, training)  # [B, L + 1]
            film.append(_rows(self.gap_item, bucket[:, :-1]))
            moved += _rows(self.gap_query, bucket)
        if self.event_item is not None and schema.HISTORY_EVENT in context:
            film.append(_rows(self.event_item, self._some(context[schema.HISTORY_EVENT], training)))
        if self.user_tower is not None and "user_known" in context:
            attributes = {f"attributes_{name}": context[f"user_{name}"] for name in ("category", "number", "known")}
            vector, present = self.user_tower(attributes, training=training)
            present = self._some(tf.cast(present, tf.float32)[:, tf.newaxis], training)  # [B, 1]
            moved += (vector * present)[:, tf.newaxis]
        if film:
            scale, shift = tf.split(tf.add_n(film), 2, axis=2)
            items = items * (1.0 + scale) + shift
        return items, moved

    def _table(self, name: str, rows: int, width: int) -> tf.Variable:
        return self.add_weight(name=name, shape=[rows, width], initializer="zeros")

    def _some(self, values: tf.Tensor, training: bool) -> tf.Tensor:
        """Sets the values of some histories to 0, which is unknown: [B, ...] -> the same."""
        if not training or not self._hidden:
            return values
        kept = tf.random.uniform([tf.shape(values)[0], 1]) >= self._hidden
        return tf.where(kept, values, tf.zeros_like(values))


def gap_bucket(time: tf.Tensor, typical_gap: float = 1.0) -> tf.Tensor:
    """Returns the bucket of the gap between each time and the one before, by powers of two.

    Args:
      time: float64 [B, L + 1]; NaN is unknown.
      typical_gap: above 0, in the same unit.

    Returns:
      int32 [B, L + 1]: 1 for less than 2**-28.5 typical gaps, 2 for less than 2**-27.5, ... 30 around one of them, ...
      58 from 2**27.5 on; 0 for the first, and where a time is unknown or before the one before.
    """
    gap = tf.cast((time[:, 1:] - time[:, :-1]) / typical_gap, tf.float32)
    bucket = 1 + tf.raw_ops.Bucketize(input=gap, boundaries=_EDGES)
    return tf.pad(tf.where((gap >= 0.0) & tf.math.is_finite(gap), bucket, 0), [[0, 0], [1, 0]])


def _rows(table: tf.Variable, rows: tf.Tensor) -> tf.Tensor:
    """Looks up int32 [...] -> float32 [..., W]; row 0 is zeros and no row of the table."""
    return tf.gather(tf.pad(table, [[1, 0], [0, 0]]), rows)
