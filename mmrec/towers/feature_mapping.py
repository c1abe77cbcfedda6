"""Maps an unknown id's vector from the other modalities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.towers.candidate import CandidateTower


class MappedCandidate(layers.Layer):
    """A trained candidate tower that fills in an id vector for items of unknown id.

    Args:
      tower: a trained candidate tower; it is not changed.
      mapping: fills in the ids' vectors.
    """

    def __init__(self, tower: CandidateTower, mapping: FeatureMapping, **kwargs):
        super().__init__(name="mapped_candidate", **kwargs)
        self.tower, self.mapping, self.fusion = tower, mapping, tower.fusion
        self.read_dim = tower.read_dim

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Embeds items, as the tower does: features, first dimension B -> float32 [B, W]. Training is over."""
        _, vectors, present = self.tower.encode(features, training=training)
        fused = self.fusion([*vectors], [*present])
        fused += self.mapping.strength * (self.fusion(*self.mapping(vectors, present)) - fused)
        return self.tower.scaled(fused)


class FeatureMapping(layers.Layer):
    """Predicts the id vector of items of unknown id, by a linear map of their other vectors.

    Args:
      place: of the item id among the modalities.
      weights: float32 [P, D], P = (M - 1) (D + 1), from `mapped_from` to the id's vector.
      strength: how far this vector moves the fused one: 0 not at all, 1 as far as a known id's; more is possible.

    Source: Gantner et al., ICDM 2010, doi:10.1109/ICDM.2010.129, there by k-nearest neighbours and by linear maps.
    """

    def __init__(self, place: int, weights: np.ndarray, strength: float = 1.0, **kwargs):
        super().__init__(name="feature_mapping", **kwargs)
        self._place = place
        self.weight = tf.Variable(weights, trainable=False, dtype=tf.float32, name="weight")
        self.strength = tf.Variable(strength, trainable=False, dtype=tf.float32, name="strength")

    def call(
        self, vectors: Sequence[tf.Tensor], present: Sequence[tf.Tensor]
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """Fills in the id's vector where it is unknown and anything else is present.

        Args:
          vectors: M tensors, float32 [B, D], by modality.
          present: M tensors, bool [B].

        Returns:
          The same, with the vector and the presence of the id changed.
        """
        place, has_id = self._place, present[self._place]
        others = [*present[:place], *present[place + 1 :]]
        guess = tf.matmul(mapped_from(place, vectors, present), self.weight)  # [B, D]
        vector = tf.where(has_id[:, tf.newaxis], vectors[place], guess)
        there = tf.reduce_any(tf.stack([has_id, *others]), axis=0)
        return (
            [*vectors[:place], vector, *vectors[place + 1 :]],
            [*present[:place], there, *present[place + 1 :]],
        )


def mapped_from(place: int, vectors: Sequence[tf.Tensor], present: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns float32 [B, (M - 1) (D + 1)]: the vectors but the id's, zeros where absent, and a 1 for each present."""
    masks = [tf.cast(mask, tf.float32)[:, tf.newaxis] for at, mask in enumerate(present) if at != place]
    others = [vector for at, vector in enumerate(vectors) if at != place]
    return tf.concat([*(vector * mask for vector, mask in zip(others, masks, strict=True)), *masks], axis=1)
