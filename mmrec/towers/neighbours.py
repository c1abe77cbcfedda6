"""A block of neighbour factors beside the towers' embeddings: what stood near what, in the same dot product.

The similarity of item j to item i by item-kNN is about u_i . v_j, with vectors of width R. An item is scored by v, and
a history reads u, so an item has three parts, and a query two:

    item    [c, v | u]      c of the candidate tower; what stands behind the bar is read by queries and never scored
    query   [q, r]          q of the query tower; r the sum of u over the history, the less the longer ago

Their dot product is q . c + r . v: the towers' score plus that of the neighbours, late fusion that any index of vectors
can search.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers


class NeighbourCandidate(layers.Layer):
    """Puts an item's neighbour factors beside its embedding; an item without training events has none.

    Args:
      tower: features of items -> float32 [B, D].
      scored: float32 [T + 1, R], v by `item_id_row`; row 0 is zeros.
      read: float32 [T + 1, R], u.
    """

    def __init__(self, tower: layers.Layer, scored: np.ndarray, read: np.ndarray, **kwargs):
        super().__init__(name="neighbour_candidate", **kwargs)
        self.tower, self.fusion = tower, tower.fusion
        factors = np.concatenate([scored, read], axis=1)
        self.factors = tf.Variable(factors, trainable=False, dtype=tf.float32, name="neighbours")

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Features of items (first dimension B), `item_id_row` int32 [B] among them -> float32 [B, D + 2R]."""
        embedded = self.tower(features, training=training)
        return tf.concat([embedded, tf.gather(self.factors, features["item_id_row"])], axis=1)


class NeighbourQuery(layers.Layer):
    """Adds up the neighbour factors of a history beside what the query tower says.

    Args:
      tower: float32 [B, L, D] -> float32 [B, L + 1, D].
      dim: D.
      rank: R.
      decay: factor per event back in the history.
    """

    def __init__(self, tower: layers.Layer, dim: int, rank: int, decay: float, **kwargs):
        super().__init__(name="neighbour_query", **kwargs)
        self.tower, self._dim, self._rank, self._decay = tower, dim, rank, decay

    def call(self, items: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [B, L, D + 2R] -> float32 [B, L + 1, D + R]; row i has seen the first i items."""
        length = tf.shape(items)[1]
        age = tf.range(length + 1)[:, tf.newaxis] - 1 - tf.range(length)  # [L + 1, L], below 0 what comes later
        weight = tf.where(age < 0, 0.0, self._decay ** tf.cast(tf.maximum(age, 0), tf.float32))
        near = tf.einsum("pl,blr->bpr", weight, items[:, :, -self._rank :])  # [B, L + 1, R]
        return tf.concat([self.tower(items[:, :, : self._dim], training=training), near], axis=2)
