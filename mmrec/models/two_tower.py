"""The two-tower model: candidate tower, query tower and task, as a TFRS model."""

from __future__ import annotations

import tensorflow as tf
import tf_keras

from mmrec.models.alignment import alignment_loss
from mmrec.models.recommenders import tfrs


class TwoTowerModel(tfrs.Model):
    """Ties the towers to the task; training is `fit` on the batches of `data.examples.Examples`.

    Args:
      candidate_tower: features of items -> float32 [U, D].
      query_tower: float32 [B, L, D] and the batch, of which it reads the context -> float32 [B, L + 1, D].
      task: the loss.
      alignment: weight of `models.alignment` in the loss; 0: none.

    Source: Covington et al., RecSys 2016, doi:10.1145/2959100.2959190; Yi et al., RecSys 2019.
    """

    def __init__(self, candidate_tower, query_tower, task, alignment: float = 0.0):
        super().__init__(name="two_tower")
        self.candidate_tower, self.query_tower, self.task = candidate_tower, query_tower, task
        self._alignment = alignment
        self.mean_loss = tf_keras.metrics.Mean(name="mean_loss")
        self.mean_regularization = tf_keras.metrics.Mean(name="regularization_loss")

    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Trains on a batch.

        Args:
          inputs: a batch of `data.examples.Examples`.

        Returns:
          float32 [] each, means over the epoch so far, as Keras has them (TFRS returns those of the batch): `loss`, its
          other name `mean_loss`, `regularization_loss`, and `total_loss`, their sum, which is minimised.
        """
        self.mean_regularization.update_state(super().train_step(inputs)["regularization_loss"])
        loss, regularization = self.mean_loss.result(), self.mean_regularization.result()
        means = {"loss": loss, "mean_loss": loss, "regularization_loss": regularization}
        return means | {"total_loss": loss + regularization}

    def make_train_function(self, force: bool = False):
        """Makes what Keras calls for each step."""
        function = super().make_train_function(force)
        function._omit_frequent_tracing_warning = True  # each model of a process traces its own, if only for one step
        return function

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Encodes each distinct item of the batch once, each prefix of each history once, and compares them.

        Args:
          inputs: a batch of `data.examples.Examples`.
          training: whether dropout is active.

        Returns:
          float32 [], the mean loss over the batch's queries.
        """
        if self._alignment:
            items, *parts = self.candidate_tower(inputs, training=training, with_parts=True)
        else:
            items = self.candidate_tower(inputs, training=training)  # [U, D]
        queries = self.query_tower(tf.gather(items, inputs["history"]), inputs, training=training)  # [B, L + 1, D]
        asked = tf.gather_nd(queries, inputs["query"])  # [Q, D]
        if "candidate" in inputs:
            candidates = tf.gather(items, inputs["candidate"])  # [C, D]
            others = [inputs[name] for name in ("competes", "log_q", "known")]
            rows, taken = tf.gather(inputs["rows"], inputs["candidate"]), inputs.get("taken")
            given = (asked, candidates, inputs["positive"], inputs["query"][:, 0], *others, rows, taken)
            loss = self.task(*given, weight=inputs.get("weight"), training=training)
        else:  # all items but the padding
            # Not `items[1:]`, whose gradient TensorFlow computes ten times as slowly.
            candidates = tf.slice(items, [1, 0], [-1, -1])
            loss = self.task(asked, candidates, inputs["positive"], weight=inputs.get("weight"))
            if self._alignment:  # pairs of all items would cost far more than all else
                answers = 1 + tf.unique(inputs["positive"])[0]
                parts = tf.nest.map_structure(lambda part: tf.gather(part, answers), parts)
        if self._alignment:
            loss += self._alignment * alignment_loss(*parts)
        self.mean_loss.update_state(loss)
        return loss
