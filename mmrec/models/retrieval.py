"""The retrieval task: queries, candidates and right answers to a loss."""

from __future__ import annotations

import math

import tensorflow as tf
import tf_keras

from mmrec.config.retrieval import RetrievalConfig
from mmrec.models.catalog_softmax import catalog_softmax
from mmrec.models.hard_negatives import HardNegatives
from mmrec.models.logits import candidate_logits, only_competing, with_hard_negatives, without_own_correction
from mmrec.models.losses import LOSSES
from mmrec.models.memory import Memory
from mmrec.models.recommenders import tfrs
from mmrec.registry import find


class RetrievalTask(tf_keras.layers.Layer, tfrs.tasks.Task):
    """Scores queries against the candidates that compete, and asks the loss.

    With softmax among the right answers of the batch it equals `tfrs.tasks.Retrieval` on a batch whose answers are
    distinct (mean instead of sum over queries), and differs where that one errs: an item that is right for several
    queries competes once, and a user's other positives do not compete at all.

    Args:
      config: loss, temperature, correction, accidental hits.
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
        self._config, self._memory, self.hard_negatives = config, memory, hard_negatives
        self._loss = find("loss", config.loss, LOSSES)(config, items)
        start = tf_keras.initializers.Constant(math.log(config.start_temperature))
        self.log_temperature = self.add_weight(
            name="log_temperature", shape=[], initializer=start, trainable=config.learn_temperature
        )

    def call(
        self,
        query,
        candidate,
        positive,
        history=None,
        competes=None,
        log_q=None,
        known=None,
        row=None,
        taken=None,
        weight=None,
        training: bool = False,
    ):
        """Computes the loss; shapes as in `candidate_logits` and `only_competing`.

        Without `log_q`, `candidate` is the whole catalog: all compete, and there is nothing to correct. `row`, int32
        [C], the candidates' item rows, and `taken`, int32 [T, 2], the (history, item row) pairs that `known` is made
        of, are read with a memory or hard negatives only; `training` says whether the memory keeps the candidates.

        `weight`, float32 [Q], are factors of the queries' losses; None: 1.

        Returns:
          float32 [], the mean over queries.
        """
        query = query * tf.exp(-self.log_temperature)
        if log_q is None and self._config.loss == "softmax":
            return catalog_softmax(query, candidate, positive, weight)
        if self._memory:
            given = (candidate, row, competes, log_q, known)
            candidate, row, competes, log_q, known = self._memory(*given, taken, training=training)
        log_q = log_q if self._config.corrects_popularity else None
        logits = candidate_logits(query, candidate, log_q)
        if log_q is not None and self._config.negatives == "sampled":
            logits = without_own_correction(logits, positive, log_q)
        if competes is not None:
            known = known if self._config.remove_accidental_hits else known[:0]
            logits = only_competing(logits, positive, competes, history, known)
        if self.hard_negatives:
            taken = taken if self._config.remove_accidental_hits else taken[:0]
            found = self.hard_negatives(query, tf.gather(row, positive), history, taken)
            logits = with_hard_negatives(logits, *found, row, competes, log_q)
        loss = self._loss(logits, positive)
        return tf.reduce_mean(loss if weight is None else loss * weight)
