"""The candidate tower: modality towers, fused into one item embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import tensorflow as tf
from tf_keras import layers

from mmrec.registry import find
from mmrec.towers.fusion import FUSIONS


class EncodedItems(NamedTuple):
    """The candidate tower's output for B items.

    Attributes:
      embedding: float32 [B, W].
      vectors: M tensors, float32 [B, D], of the modalities.
      present: M tensors, bool [B], the modalities that each item has, before any is hidden.
    """

    embedding: tf.Tensor
    vectors: Sequence[tf.Tensor]
    present: Sequence[tf.Tensor]


class CandidateTower(layers.Layer):
    """Turns the features of items into item embeddings.

    Args:
      towers: the modality towers by modality, in the order of fusion.
      fusion: name of the fusion, or an import path `package.module:Class`.
      dim: D, width of the towers' vectors.
      hidden: by modality, the share of the items for which a training step hides it; 0 for modalities that are not
        named. An item never loses its last modality.
      unit: whether embeddings are divided by their lengths, so that scores are cosines.

    Source: hiding the id as in DropoutNet, Volkovs et al., NeurIPS 2017, there per user; hiding any modality as in
      ModDrop, Neverova et al., TPAMI 2016, arXiv:1501.00102.
    """

    read_dim = 0
    """R, how many of an item's values only histories read; see `index.item_table`."""

    def __init__(
        self,
        towers: Mapping[str, layers.Layer],
        fusion: str,
        dim: int,
        hidden: Mapping[str, float] = MappingProxyType({}),
        unit: bool = True,
        **kwargs,
    ):
        super().__init__(name="candidate_tower", **kwargs)
        self.towers = dict(towers)
        self.fusion = find("fusion", fusion, FUSIONS)(tuple(self.towers), dim)
        self.fusion.is_cosine = self._unit = unit
        self._hidden = [hidden.get(modality, 0.0) for modality in self.towers]

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Returns the embeddings of `encode`: float32 [B, W]."""
        return self.encode(features, training).embedding

    def encode(self, features: dict[str, tf.Tensor], training: bool = False) -> EncodedItems:
        """Embeds items, and returns the modalities' vectors beside the embeddings.

        Args:
          features: what the towers read; first dimension B.
          training: whether dropout is active and modalities are hidden.

        Returns:
          The embeddings, of unit norm if the tower has `unit`, and their parts; W is the fusion's `output_dim`.
        """
        vectors, present = zip(*(tower(features, training=training) for tower in self.towers.values()), strict=True)
        seen = self._without_hidden(present) if training and any(self._hidden) else present
        return EncodedItems(self.scaled(self.fusion([*vectors], [*seen], training=training)), vectors, present)

    def scaled(self, fused: tf.Tensor) -> tf.Tensor:
        """Turns the fusion's output (float32 [B, W]) into embeddings, of unit norm if the tower has `unit`."""
        return tf.math.l2_normalize(fused, axis=1) if self._unit else fused

    def _without_hidden(self, present: tuple[tf.Tensor, ...]) -> list[tf.Tensor]:
        """Hides modalities at random: M tensors, bool [B] -> the same."""
        mask = tf.stack(present, axis=1)  # [B, M]
        margin = tf.random.uniform(tf.shape(mask)) - tf.constant(self._hidden)
        margin = tf.where(mask, margin, -1.0)  # negative: hidden
        last = tf.reduce_max(margin, axis=1, keepdims=True)  # the one nearest to staying always stays
        return tf.unstack(mask & (margin >= tf.minimum(last, 0.0)), axis=1)
