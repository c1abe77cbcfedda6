"""The query tower: a history tower, a context tower, and the fusion's side of the query."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
from tf_keras import layers

from mmrec.towers.context import ContextTower
from mmrec.towers.fusion_base import Fusion


class QueryTower(layers.Layer):
    """Turns the item embeddings of a history into a query embedding for every prefix.

    Args:
      history_tower: float32 [B, L, W] -> float32 [B, L + 1, W]; see `towers.history_base`.
      fusion: the candidate tower's, which also owns the weights of its `query`.
      unit: whether queries are divided by their lengths, so that scores are cosines.
      context_tower: reads what is known beside the items; None: nothing is read.
    """

    def __init__(
        self,
        history_tower: layers.Layer,
        fusion: Fusion,
        unit: bool = True,
        context_tower: ContextTower | None = None,
        **kwargs,
    ):
        super().__init__(name="query_tower", **kwargs)
        self.history_tower, self.context_tower, self._unit = history_tower, context_tower, unit
        self._query = fusion.query  # not the layer, whose weights would then be listed in both towers

    def call(
        self, items: tf.Tensor, context: Mapping[str, tf.Tensor] | None = None, training: bool = False
    ) -> tf.Tensor:
        """Embeds every prefix.

        Args:
          items: float32 [B, L, W], item embeddings in time order, padded at the end by anything.
          context: the inputs of `towers.context`; other keys are ignored, missing ones are unknown. None: all are.
          training: whether dropout is active.

        Returns:
          float32 [B, L + 1, W], of unit norm if the tower has `unit`; row i has seen the first i items.
        """
        moved = 0.0
        if self.context_tower is not None:
            items, moved = self.context_tower(items, context or {}, training=training)
        queries = self._query(self.history_tower(items, training=training) + moved)
        return tf.math.l2_normalize(queries, axis=2) if self._unit else queries

    def last(self, items: tf.Tensor, length: tf.Tensor, context: Mapping[str, tf.Tensor] | None = None) -> tf.Tensor:
        """Embeds whole histories, without dropout.

        Args:
          items: float32 [B, L, W], as for `call`.
          length: int [B], items of each history, at most L.
          context: as for `call`.

        Returns:
          float32 [B, W].
        """
        return tf.gather(self(items, context), length, batch_dims=1)
