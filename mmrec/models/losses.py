"""Losses of the right candidate among its competitors.

Each is constructed as `Loss(config, items)`, with the `RetrievalConfig` and N, the number of items that can compete,
and called as `loss(logits, positive)`:

  logits: float32 [Q, C], at or below `logits.REMOVED` where a candidate does not compete.
  positive: int32 [Q], the right candidates.

It returns float32 [Q].
"""

from __future__ import annotations

import tensorflow as tf

from mmrec.config.retrieval import RetrievalConfig
from mmrec.models.logits import REMOVED


class Loss:
    """What the losses share: which candidates are wrong, and the mean over them."""

    def __init__(self, config: RetrievalConfig, items: int):
        self.config, self.items = config, items

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        """float32 [Q, C] and int32 [Q] -> float32 [Q]."""
        raise NotImplementedError


class Softmax(Loss):
    """Cross entropy of the right candidate among all that compete."""

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(positive, logits)


class BPR(Loss):
    """The right candidate against each wrong one: the mean of -ln sigmoid(right - wrong).

    Source: Rendle et al., UAI 2009, arXiv:1205.2618; all that compete instead of one drawn per query.
    """

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        right, wrong = _parted(logits, positive)
        return _mean(tf.nn.softplus(logits - right[:, tf.newaxis]), wrong)


class GBCE(Loss):
    """Binary cross entropy in which the right candidate counts as if all items had competed.

    Plain binary cross entropy on a few negatives makes a model overconfident. With K wrong ones of N - 1 and
    a = K / (N - 1), the right one's probability is taken to the power b = a (t (1 - 1 / a) + 1 / a).

    Source: gSASRec, Petrov & Macdonald, RecSys 2023, arXiv:2308.07192; t is `retrieval.calibration`.
    """

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        right, wrong = _parted(logits, positive)
        count = tf.reduce_sum(tf.cast(wrong, tf.float32), axis=1)  # [Q], K
        rate = tf.clip_by_value(count / max(1, self.items - 1), 1e-9, 1.0)
        power = rate * self.config.calibration * (1.0 - 1.0 / rate) + 1.0
        others = tf.reduce_sum(tf.where(wrong, tf.nn.softplus(logits), 0.0), axis=1)
        return (power * tf.nn.softplus(-right) + others) / (count + 1.0)


class CosinePairs(Loss):
    """Pairs of query and item: the right one is drawn near, wrong ones are pushed until they score below a margin.

    For cosines and a temperature of 1: 1 - right, plus the mean of max(0, wrong - `retrieval.margin`).

    Source: Hadsell et al., CVPR 2006, doi:10.1109/CVPR.2006.100 (contrastive pairs), with cosines for distances.
    """

    def __call__(self, logits: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        right, wrong = _parted(logits, positive)
        return 1.0 - right + _mean(tf.nn.relu(logits - self.config.margin), wrong)


def _parted(logits: tf.Tensor, positive: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the right candidates' logits, float32 [Q], and which candidates are wrong and compete, bool [Q, C]."""
    own = tf.one_hot(positive, tf.shape(logits)[1], on_value=True, off_value=False, dtype=tf.bool)
    return tf.gather(logits, positive, batch_dims=1), ~own & (logits > REMOVED)


def _mean(values: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """Returns the mean of what is kept of each row: float32 [Q, C] and bool [Q, C] -> float32 [Q]; 0 of nothing."""
    count = tf.reduce_sum(tf.cast(kept, tf.float32), axis=1)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(kept, values, 0.0), axis=1), count)


LOSSES = {"softmax": Softmax, "bpr": BPR, "gbce": GBCE, "cosine": CosinePairs}
