"""Late fusions: modalities are compared one by one, and their scores are mixed.

The mixture of M cosines is written as one dot product, so that any index of vectors can search it. An item is a vector
of M blocks, one for each modality, and so is a query:

    sum_m w_m cos(q_m, c_m)  =  [sqrt(w_1) q_1, ...] . [sqrt(w_1) c_1, ...]        q_m, c_m unit vectors

The block of an absent modality is 0, and the whole is divided by its length: an item's weights are renormalised over
what it has. So an item that has only modality m scores sqrt(w_m) cos_m instead of w_m cos_m. With equal weights, scores
against random queries then spread alike whatever an item has. The mean over what is present, here cos_m, would need a
vector longer than 1: items that have little would top every list, as one cosine varies more than a mean of several.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from mmrec.towers.fusion_base import UnitFusion, unit


class Late(UnitFusion):
    """A score for each modality, mixed by learnt weights that are the same for all queries.

    Args:
      modalities: M names.
      dim: D; the result is M * D wide.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, output_dim=len(modalities) * dim, **kwargs)
        self.logits = self.add_weight(name="logits", shape=[len(self.modalities), 1], initializer="zeros")

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, M * D]; the candidate tower divides it by its length."""
        return tf.reshape(units * self._roots(), [-1, self.output_dim])

    def query(self, queries: tf.Tensor) -> tf.Tensor:
        """Weighs blocks: float32 [..., M * D] -> the same."""
        return _flat(_blocks(queries, self.dim) * self._roots())

    def report(self) -> dict[str, float]:
        """Returns the weights of the mixture, which add up to 1."""
        weights = tf.nn.softmax(self.logits, axis=0).numpy().ravel()
        return dict(zip(self.modalities, weights.tolist(), strict=True))

    def _roots(self) -> tf.Tensor:
        return tf.exp(0.5 * tf.nn.log_softmax(self.logits, axis=0))  # [M, 1]; a root's gradient is infinite at 0


class LatePerQuery(UnitFusion):
    """A score for each modality, mixed by weights that each query brings along.

    Items are unit blocks and queries hold their weights, so for items with every modality the order is that of
    sum_m w_m(q) cos(q_m, c_m). Both are divided by their lengths: the scores are cosines of the whole.

    Args:
      modalities: M names.
      dim: D; the result is M * D wide.
    """

    def __init__(self, modalities: Sequence[str], dim: int, **kwargs):
        super().__init__(modalities, dim, output_dim=len(modalities) * dim, **kwargs)
        # A dense layer would be built by the first query; these are there when the tower is saved on its own.
        self.kernel = self.add_weight(name="kernel", shape=[self.output_dim, len(modalities)], initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=[len(modalities)], initializer="zeros")

    def fuse(self, units: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """float32 [B, M, D] -> float32 [B, M * D]; the candidate tower divides it by its length."""
        return tf.reshape(units, [-1, self.output_dim])

    def query(self, queries: tf.Tensor) -> tf.Tensor:
        """Weighs blocks: float32 [..., M * D] -> the same."""
        return _flat(_blocks(queries, self.dim) * self.weights_of(queries)[..., tf.newaxis])

    def weights_of(self, queries: tf.Tensor) -> tf.Tensor:
        """Computes the mixture of each query: float32 [..., M * D] -> float32 [..., M], adding up to 1."""
        return tf.nn.softmax(tf.linalg.matvec(self.kernel, queries, transpose_a=True) + self.bias)


def _blocks(queries: tf.Tensor, dim: int) -> tf.Tensor:
    """float32 [..., M * D] -> float32 [..., M, D], unit norm."""
    shape = tf.concat([tf.shape(queries)[:-1], [queries.shape[-1] // dim, dim]], axis=0)
    return unit(tf.reshape(queries, shape))


def _flat(blocks: tf.Tensor) -> tf.Tensor:
    """float32 [..., M, D] -> float32 [..., M * D], unit norm."""
    whole = blocks.shape[-1] * blocks.shape[-2]
    return unit(tf.reshape(blocks, tf.concat([tf.shape(blocks)[:-2], [whole]], axis=0)))
