"""History towers: item embeddings in time order -> a query embedding for every prefix, in one pass.

The contract: `tower(items float32 [B, L, D], training) -> float32 [B, L + 1, D]`, of any length. Row i of the result
has seen the first i items and nothing else, so items are left-aligned and may be padded at the end by anything; row 0
is the answer for "nothing known". Constructed as `Tower(dim, config)`, the config being `QueryConfig`.
"""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from mmrec.config.query import QueryConfig


class HistoryTower(layers.Layer):
    """Holds the embedding of "no history", and dropout, for all history towers. Subclasses define `read`.

    Args:
      dim: D, width of the item embeddings and of the result.
      config: dropout.
    """

    def __init__(self, dim: int, config: QueryConfig, **kwargs):
        super().__init__(name="history_tower", **kwargs)
        self.dropout = layers.Dropout(config.dropout)
        self.no_history = self.add_weight(name="no_history", shape=[dim], initializer="random_normal")

    def call(self, items: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Embeds every prefix; see the contract above."""
        read = self.read(self.dropout(items, training=training), training)  # [B, L, D]
        first = tf.tile(self.no_history[tf.newaxis, tf.newaxis], [tf.shape(items)[0], 1, 1])  # [B, 1, D]
        return tf.concat([first, read], axis=1)

    def read(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """Encodes each prefix but the empty one.

        Args:
          items: float32 [B, L, D], in time order, after dropout; padded at the end by anything.
          training: whether dropout is active.

        Returns:
          float32 [B, L, D]; row i has seen items 0 to i and no later one.
        """
        raise NotImplementedError


def running_mean(items: tf.Tensor) -> tf.Tensor:
    """Returns the mean of each prefix but the empty one: float32 [B, L, D] -> float32 [B, L, D]."""
    seen = tf.range(1, tf.shape(items)[1] + 1, dtype=items.dtype)
    return tf.cumsum(items, axis=1) / seen[tf.newaxis, :, tf.newaxis]
