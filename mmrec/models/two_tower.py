"""The two-tower model: candidate tower, query tower and objectives, as a TFRS model."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from mmrec.models.objectives.objective import Objective
from mmrec.models.recommenders import tfrs


class TwoTowerModel(tfrs.Model):
    """Sums objectives over shared towers; training is `fit` on the batches of `data.examples.Examples`.

    Args:
      candidate_tower: its `encode` makes `EncodedItems` of the features of items.
      query_tower: float32 [B, L, D] and the batch, whose context it reads -> float32 [B, L + 1, D].
      objectives: the terms of the loss and their factors.
    """

    def __init__(self, candidate_tower, query_tower, objectives: Sequence[tuple[Objective, float]]):
        super().__init__(name="two_tower")
        self.candidate_tower, self.query_tower = candidate_tower, query_tower
        self.objectives = [objective for objective, _ in objectives]
        self._factors = tuple(factor for _, factor in objectives)
        self.mean_terms = [tf_keras.metrics.Mean(name=f"{one.name}_loss") for one in self.objectives]
        self.mean_loss = tf_keras.metrics.Mean(name="mean_loss")
        self.mean_regularization = tf_keras.metrics.Mean(name="regularization_loss")

    def train_step(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Trains on a batch.

        Args:
          inputs: a batch of `data.examples.Examples`.

        Returns:
          float32 [] each, means over the epoch so far, as Keras has them (TFRS returns those of the batch): `loss`, its
          other name `mean_loss`, `regularization_loss`, and `total_loss`, their sum, which is minimised. Where there
          are several objectives also `<name>_loss` of each, without its weight.
        """
        self.mean_regularization.update_state(super().train_step(inputs)["regularization_loss"])
        loss, regularization = self.mean_loss.result(), self.mean_regularization.result()
        means = {"loss": loss, "mean_loss": loss, "regularization_loss": regularization}
        if len(self.mean_terms) > 1:
            means |= {term.name: term.result() for term in self.mean_terms}
        return means | {"total_loss": loss + regularization}

    def make_train_function(self, force: bool = False):
        """Makes the function that Keras calls for each step."""
        function = super().make_train_function(force)
        function._omit_frequent_tracing_warning = True  # each model of a process traces its own, if only for one step
        return function

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Encodes each distinct item of the batch once, and adds up the objectives' losses.

        Args:
          inputs: a batch of `data.examples.Examples`.
          training: whether dropout is active.

        Returns:
          float32 [], the weighted sum of the objectives' losses.
        """
        items = self.candidate_tower.encode(inputs, training=training)
        total = tf.constant(0.0)
        for objective, factor, mean in zip(self.objectives, self._factors, self.mean_terms, strict=True):
            loss = objective.loss(self, inputs, items, training)
            mean.update_state(loss)
            total += factor * loss
        self.mean_loss.update_state(total)
        return total
