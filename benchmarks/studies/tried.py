"""Losses and history towers that are no part of mmrec; the study `defaults` measures what they would bring."""

from __future__ import annotations

from benchmarks.common import Rows  # noqa: F401  isort: skip  (before TensorFlow)
import mmrec  # noqa: F401  isort: skip
import tensorflow as tf

from mmrec.models.logits import REMOVED
from mmrec.models.losses import Softmax
from mmrec.towers.history_transformer import TransformerHistory

SMOOTHED = 0.1  # share of the right answer's probability that all candidates get
HIDDEN = 0.2  # share of a history's items


class Smoothed(Softmax):
    """Cross entropy with smoothed labels.

    Source: Szegedy et al., CVPR 2016, arXiv:1512.00567.
    """

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        competes = tf.cast(logits > REMOVED, tf.float32)
        surprise = (tf.reduce_logsumexp(logits, axis=1, keepdims=True) - logits) * competes  # [Q, C]
        uniform = tf.reduce_sum(surprise, axis=1) / tf.reduce_sum(competes, axis=1)
        return (1 - SMOOTHED) * super().__call__(logits, positive) + SMOOTHED * uniform


class Gelu(TransformerHistory):
    """A Transformer with GELU where SASRec has ReLU.

    Source: Hendrycks & Gimpel, 2016, arXiv:1606.08415.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for block in self.blocks:
            block.wide.activation = tf.nn.gelu


class HidesItems(TransformerHistory):
    """A Transformer that in training does not see some items of a history at all.

    Source: item masking, one of the augmentations of Xie et al., ICDE 2022, arXiv:2010.14395 (CL4SRec), without their
      contrastive loss.
    """

    def read(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """float32 [B, L, D] -> float32 [B, L, D]."""
        if training:
            items *= tf.cast(tf.random.uniform(tf.shape(items)[:2]) >= HIDDEN, tf.float32)[..., tf.newaxis]
        return super().read(items, training)
