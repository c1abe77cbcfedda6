"""The contract of fusions, and the embedding of an item without any content."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
from tf_keras import layers


class Fusion(layers.Layer):
    """Combines the vectors of an item's modalities into one; the base class of your own fusions.

    The contract: `fusion(vectors, present, training) -> float32 [B, W]`. Any subset of the modalities may be present,
    none included, and an absent one must not influence the result. Items and queries are compared by the cosine, or the
    dot product, of what `call` and `query` return. Constructed as `Fusion(modalities, dim)`.

    Args:
      modalities: M names, in the order of the vectors.
      dim: D, width of each vector.

    Attributes:
      output_dim: W, width of the result and of the queries.
      is_cosine: whether items and queries are compared by the cosine; else by the dot product, and lengths count. The
        candidate tower sets it.
    """

    is_cosine = True

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(name="fusion", **kwargs)
        self.modalities, self.dim, self.output_dim = tuple(modalities), dim, dim

    def call(self, vectors: list[tf.Tensor], present: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Combines the vectors of a batch of items.

        Args:
          vectors: M tensors, float32 [B, D], finite.
          present: M tensors, bool [B], whether an item has each modality; an item may have none.
          training: whether the fusion is being trained.

        Returns:
          float32 [B, W], never all zeros.
        """
        raise NotImplementedError

    def query(self, queries: tf.Tensor) -> tf.Tensor:
        """Turns the output of a history tower into queries; unless a fusion redefines this, they are the same.

        Args:
          queries: float32 [..., W], the history tower's output.

        Returns:
          float32 [..., W].
        """
        return queries

    def report(self) -> dict[str, float]:
        """Returns the learnt weight of each modality by name; empty where there is no such number."""
        return {}


class UnitFusion(Fusion):
    """A fusion that reads unit vectors, so that weights alone say how much each modality counts.

    Under the dot product it reads the vectors as they are, and each tower learns how long its vectors are.

    An item without any modality gets a learnt vector, `nothing`. Subclasses define `fuse`.

    Args:
      modalities: M names, in the order of the vectors.
      dim: D, width of each vector.
      output_dim: W, width of the result. None: D.
    """

    def __init__(self, modalities: Sequence[str], dim: int, output_dim: int | None = None, **kwargs):
        super().__init__(modalities, dim, **kwargs)
        self.output_dim = output_dim or dim
        # Not zeros: a vector of zeros has no direction.
        self.nothing = self.add_weight(name="nothing", shape=[self.output_dim], initializer="random_normal")

    def call(self, vectors: list[tf.Tensor], present: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Fuses; see the contract."""
        mask = tf.cast(tf.stack(present, axis=1), tf.float32)[:, :, tf.newaxis]  # [B, M, 1]
        stacked = tf.stack(vectors, axis=1)  # [B, M, D]
        fused = self.fuse((unit(stacked) if self.is_cosine else stacked) * mask, mask)  # [B, W]
        none = 1.0 - tf.reduce_max(mask, axis=1)  # [B, 1], 1 where nothing is present
        # A product of matrices: `tf.where` and its gradient take several times as long over a whole catalog.
        return fused + tf.matmul(none, self.nothing[tf.newaxis])

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Fuses unit vectors.

        Args:
          units: float32 [B, M, D], unit norm under the cosine; zeros where a modality is absent.
          mask: float32 [B, M, 1], 1 where it is present, else 0.

        Returns:
          float32 [B, W]; zeros where all is absent.
        """
        raise NotImplementedError


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """Divides vectors (float32 [..., D]) by their lengths; zeros stay zeros, with a gradient of at most 1,000."""
    return tf.math.l2_normalize(vectors, axis=-1, epsilon=1e-6)


def shares(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Computes a softmax over what is present.

    Args:
      logits: float32 [B or 1, M, D or 1].
      mask: float32 [B, M, 1], 1 where a modality is present, else 0.

    Returns:
      float32 [B, M, D or 1], adding up to 1 over the present modalities, 0 for absent ones; where all are absent,
      anything finite.
    """
    return tf.nn.softmax(logits + (mask - 1.0) * 1e9, axis=1)
