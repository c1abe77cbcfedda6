"""Neighbour factors beside the towers' embeddings, in the same dot product.

The similarity of item j to item i by item-kNN is about u_i . v_j, with vectors of width R, and that of their texts is
t_i . t_j, with vectors of width F. An item is scored by v and t, and a history reads u and t, so an item has four
parts, and a query three:

    item    [c, t, v | u]   c of the candidate tower; what stands behind the bar is read by queries and never scored
    query   [q, s, r]       q of the query tower; s and r the sums of t and u over the history, the less the longer ago

Their dot product is q . c + s . t + r . v: the towers' score plus those of the neighbours, late fusion that any index
of vectors can search.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.towers.query import QueryTower


class NeighbourCandidate(layers.Layer):
    """Puts an item's text and neighbour factors beside its embedding; without training events the factors are zeros.

    Args:
      tower: features of items -> float32 [B, D].
      scored: float32 [T + 1, R], v by `item_id_row`; row 0 is zeros.
      read: float32 [T + 1, R], u.
      text_weight: weight of the texts' similarity, at least 0: a number, or float32 [F], one for each dimension. All
        0: texts are left out, and F is 0.
    """

    def __init__(
        self, tower: layers.Layer, scored: np.ndarray, read: np.ndarray, text_weight: np.ndarray | float = 0.0, **kwargs
    ):
        super().__init__(name="neighbour_candidate", **kwargs)
        self.tower, self.fusion = tower, tower.fusion
        self.read_dim = read.shape[1]  # R, see `index.item_table`
        self._reads_texts = bool(np.any(text_weight))
        self._text_length = np.sqrt(text_weight, dtype=np.float32)  # of both items' vectors
        factors = np.concatenate([scored, read], axis=1)
        self.factors = tf.Variable(factors, trainable=False, dtype=tf.float32, name="neighbours")

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Embeds items.

        Args:
          features: what the tower reads, first dimension B, `item_id_row` int32 [B], and, unless texts are left out,
            `text_features` float32 [B, F].
          training: unused; training is over.

        Returns:
          float32 [B, D + F + 2R].
        """
        parts = [self.tower(features, training=training)]
        if self._reads_texts:
            parts.append(self._text_length * features["text_features"])
        return tf.concat([*parts, tf.gather(self.factors, features["item_id_row"])], axis=1)


class NeighbourQuery(layers.Layer):
    """Puts the summed neighbour factors and texts of a history beside the query tower's output.

    Args:
      tower: the query tower, trained.
      dim: D, width of the tower's queries.
      rank: R, width of the neighbour factors.
      decay: factor per event back in the history.
    """

    def __init__(self, tower: QueryTower, dim: int, rank: int, decay: float, **kwargs):
        super().__init__(name="neighbour_query", **kwargs)
        self.tower, self._dim, self._rank, self._decay = tower, dim, rank, decay

    def last(self, items: tf.Tensor, length: tf.Tensor, context: Mapping[str, tf.Tensor] | None = None) -> tf.Tensor:
        """Embeds whole histories, see `QueryTower.last`: float32 [B, L, D + F + 2R] -> float32 [B, D + F + R]."""
        age = length[:, tf.newaxis] - 1 - tf.range(tf.shape(items)[1], dtype=length.dtype)  # [B, L], below 0: padding
        weight = tf.where(age < 0, 0.0, self._decay ** tf.cast(tf.maximum(age, 0), tf.float32))
        read = tf.concat([items[:, :, self._dim : -2 * self._rank], items[:, :, -self._rank :]], axis=2)
        near = tf.einsum("bl,blr->br", weight, read)  # [B, F + R]
        return tf.concat([self.tower.last(items[:, :, : self._dim], length, context), near], axis=1)
