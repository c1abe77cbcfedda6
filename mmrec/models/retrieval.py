"""The retrieval task: queries, candidates and right answers to a loss."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras

from mmrec.config.retrieval import RetrievalConfig
from mmrec.models.candidates import Candidates
from mmrec.models.catalog_softmax import catalog_softmax
from mmrec.models.hard_negatives import HardNegatives
from mmrec.models.logits import candidate_logits, only_competing, with_hard_negatives, without_own_correction
from mmrec.models.losses import LOSSES
from mmrec.models.memory import Memory
from mmrec.models.recommenders import tfrs
from mmrec.registry import find


class RetrievalTask(tf_keras.layers.Layer, tfrs.tasks.Task):
    """Scores queries against the candidates, and computes the loss of the right ones.

    With softmax among the right answers of the batch it equals `tfrs.tasks.Retrieval` on a batch whose answers are
    distinct (mean instead of sum over queries). It differs where TFRS errs: here an item that is right for several
    queries competes once, and a user's other positives do not compete at all.

    Args:
      config: loss, temperature, correction, accidental hits; decided (see `RetrievalConfig.decided`).
      items: N, the number of items that can compete.
      memory: candidates of earlier steps; None: only those of the step compete.
      hard_negatives: finds further wrong items for each query; None: no others.
    """

    def __init__(
        self,
        config: RetrievalConfig,
        items: int,
        memory: Memory | None = None,
        hard_negatives: HardNegatives | None = None,
        **kwargs,
    ):
        super().__init__(name="retrieval", **kwargs)
        if config.temperature is None or config.logq_correction is None:
            raise ValueError("`temperature` and `logq_correction` must be decided: see `RetrievalConfig.decided`.")
        self._config, self._memory, self.hard_negatives = config, memory, hard_negatives
        self._loss = find("loss", config.loss, LOSSES)(config, items)
        start = tf_keras.initializers.Constant(math.log(config.temperature))
        self.log_temperature = self.add_weight(
            name="log_temperature", shape=[], initializer=start, trainable=config.learn_temperature
        )

    def call(
        self,
        query: tf.Tensor,
        candidates: Candidates,
        positive: tf.Tensor,
        history: tf.Tensor,
        weight: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Computes the loss.

        Args:
          query: float32 [Q, D].
          candidates: the items that compete.
          positive: int32 [Q], each query's right candidate.
          history: int32 [Q], the history that each query belongs to, from 0.
          weight: float32 [Q], factors of the queries' losses; None: 1.
          training: whether the memory keeps the candidates.

        Returns:
          float32 [], the mean over queries.
        """
        query = query * tf.exp(-self.log_temperature)
        if candidates.mode == "whole_catalog":
            if self._config.loss == "softmax":
                return catalog_softmax(query, candidates.embedding, positive, weight)
            logits = candidate_logits(query, candidates.embedding, None)
        else:
            logits = self._drawn_logits(query, candidates, positive, history, training)
        loss = self._loss(logits, positive)
        return tf.reduce_mean(loss if weight is None else loss * weight)

    def _drawn_logits(self, query, candidates, positive, history, training):
        """Returns float32 [Q, C + M + H]: the step's own candidates, those of the memory, and hard negatives."""
        if self._memory:
            candidates = self._memory(candidates, training=training)
        if not self._config.remove_accidental_hits:
            candidates = candidates._replace(positive_pairs=candidates.positive_pairs[:0], taken=candidates.taken[:0])
        log_q = candidates.log_q if self._config.logq_correction else None
        logits = candidate_logits(query, candidates.embedding, log_q)
        if log_q is not None and self._config.negatives == "sampled":
            logits = without_own_correction(logits, positive, log_q)
        logits = only_competing(logits, positive, candidates.competes, history, candidates.positive_pairs)
        if self.hard_negatives:
            hard = self.hard_negatives(query, tf.gather(candidates.row, positive), history, candidates.taken)
            logits = with_hard_negatives(logits, *hard, candidates, log_q)
        return logits
