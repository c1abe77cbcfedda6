"""Early fusions: one vector per item before anything is compared."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers

from mmrec.towers.fusion_base import Fusion, UnitFusion, shares


class Concatenation(Fusion):
    """Projects the vectors side by side, absent ones as zeros, with a flag for each that is present.

    Args:
      modalities: M names.
      dim: D, width of each vector and of the result.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, **kwargs)
        self.normalise = [layers.LayerNormalization() for _ in modalities]
        # Not zeros: an item without any modality is the bias alone, and a vector of zeros has no direction.
        self.projection = layers.Dense(dim, bias_initializer="random_normal")

    def call(self, vectors: list[tf.Tensor], present: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Fuses; see the contract."""
        masks = [tf.cast(mask, tf.float32)[:, tf.newaxis] for mask in present]
        parts = [norm(vector) * mask for norm, vector, mask in zip(self.normalise, vectors, masks, strict=True)]
        return self.projection(tf.concat([*parts, *masks], axis=1))  # [B, M * D + M] -> [B, D]


class Sum(UnitFusion):
    """The sum of what is present."""

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, D]."""
        return tf.reduce_sum(units, axis=1)


class Mean(UnitFusion):
    """The mean of what is present. Under the cosine it gives the same answers as `Sum`."""

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, D]."""
        return tf.math.divide_no_nan(tf.reduce_sum(units, axis=1), tf.reduce_sum(mask, axis=1))


class Weighted(UnitFusion):
    """A sum with a learnt weight for each modality: alpha F_text + beta F_image + gamma F_audio.

    The weights are positive and add up to 1 over what is present.

    Args:
      modalities: M names.
      dim: D.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, **kwargs)
        self.logits = self.add_weight(name="logits", shape=[1, len(self.modalities), 1], initializer="zeros")

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, D]."""
        return tf.reduce_sum(units * shares(self.logits, mask), axis=1)

    def report(self) -> dict[str, float]:
        """Returns the weights of an item that has every modality."""
        weights = tf.nn.softmax(self.logits, axis=1).numpy().ravel()
        return dict(zip(self.modalities, weights.tolist(), strict=True))


class Gated(UnitFusion):
    """A sum in which all vectors together decide, for each item and dimension, how much each modality counts.

    Source: Arevalo et al., 2017, arXiv:1702.01992. Their two gates z and 1 - z become a softmax over what is present;
      their tanh layer is left out, as each tower ends in a projection of its own.

    Args:
      modalities: M names.
      dim: D.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, **kwargs)
        self.gates = layers.Dense(len(self.modalities) * dim)

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, D]."""
        shape = [-1, len(self.modalities), self.dim]
        logits = self.gates(tf.reshape(tf.concat([units, mask], axis=2), [-1, shape[1] * (self.dim + 1)]))
        return tf.reduce_sum(units * shares(tf.reshape(logits, shape), mask), axis=1)


class Attention(UnitFusion):
    """A sum that weighs modalities by how near their vectors are to a learnt query.

    The weights of an item are the softmax over modalities of the cosine to the query, times the query's length: so
    the length says how sharply it chooses.

    Source: the query as in Yang et al., NAACL 2016, doi:10.18653/v1/N16-1174, who weigh words by it; modalities
      instead of words as in Hori et al., ICCV 2017, arXiv:1701.03126. Ours has no hidden layer in front.

    Args:
      modalities: M names.
      dim: D.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, **kwargs)
        self.attended = self.add_weight(name="attended", shape=[dim, 1], initializer="random_normal")

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, D]."""
        return tf.reduce_sum(units * shares(units @ self.attended, mask), axis=1)
