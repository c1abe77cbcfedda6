"""Item-id tower: one learnt vector per item that has training events."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers


class ItemIdTower(layers.Layer):
    """Looks an item up.

    Args:
      table_rows: number of items with training events.
      dim: D, width of the result.
      initial: float32 [table_rows + 1, D], what the vectors start from. None: random.
    """

    def __init__(self, table_rows: int, dim: int, initial: np.ndarray | None = None, **kwargs):
        super().__init__(name="item_id_tower", **kwargs)
        start = "uniform" if initial is None else tf_keras.initializers.Constant(initial)
        self.embedding = layers.Embedding(table_rows + 1, dim, embeddings_initializer=start)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Looks items up.

        Args:
          features: `item_id_row` int32 [B]; 0: an item without training events.
          training: unused here; part of the contract of towers.

        Returns:
          float32 [B, D], and bool [B]: whether the id is known.
        """
        rows = features["item_id_row"]
        return self.embedding(rows), rows > 0
