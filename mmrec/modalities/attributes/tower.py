"""The attributes tower: categories and numbers of an item, projected together."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.attributes.config import AttributesConfig


class AttributesTower(layers.Layer):
    """Embeds each category, adds the numbers and a flag for each known value, and projects all by a small network.

    Args:
      config: widths and dropout.
      sizes: rows of each category's table; row 0 is "not given".
      dim: D, width of the result.
    """

    def __init__(self, config: AttributesConfig, sizes: Sequence[int], dim: int, **kwargs):
        super().__init__(name="attributes_tower", **kwargs)
        self.embeddings = [layers.Embedding(size, config.embedding_dim) for size in sizes]
        self.dropout = layers.Dropout(config.dropout)
        self.hidden = layers.Dense(config.units, activation="relu")
        self.projection = layers.Dense(dim)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items.

        Args:
          features: `attributes_category` int32 [B, C], `attributes_number` float32 [B, N], `attributes_known` bool
            [B, C + N].
          training: whether dropout is active.

        Returns:
          float32 [B, D], and bool [B]: whether the item has any attribute.
        """
        rows, present = features["attributes_category"], features["attributes_known"]
        embedded = [embedding(rows[:, place]) for place, embedding in enumerate(self.embeddings)]
        read = tf.concat([*embedded, features["attributes_number"], tf.cast(present, tf.float32)], axis=1)
        hidden = self.hidden(self.dropout(read, training=training))
        return self.projection(hidden), tf.reduce_any(present, axis=1)
