"""The candidates of a training step."""

from __future__ import annotations

from typing import Literal, NamedTuple

import tensorflow as tf


class Candidates(NamedTuple):
    """The items that compete in a step, each once. Make one with `whole_catalog` or `drawn`.

    Attributes:
      mode: `whole_catalog`: every item that can compete does, so that there is nothing to correct or to take out;
        `drawn`: the step's own choice of them.
      embedding: float32 [C, D].
      row: int32 [C], their item rows. (This and the following are read in the mode `drawn` only.)
      competes: bool [C], whether each competes with queries that it does not answer.
      log_q: float32 [C], natural log of the probability that a step draws the item.
      positive_pairs: int32 [P, 2], (history, candidate) pairs that are positives of the history's user.
      taken: int32 [T, 2], (history, item row) pairs of the same kind, also of items that are no candidates; in order
        of the histories. Memory and hard negatives read it.
    """

    mode: Literal["whole_catalog", "drawn"]
    embedding: tf.Tensor
    row: tf.Tensor
    competes: tf.Tensor
    log_q: tf.Tensor
    positive_pairs: tf.Tensor
    taken: tf.Tensor

    @classmethod
    def whole_catalog(cls, embedding: tf.Tensor) -> Candidates:
        """Returns all items that can compete: float32 [C, D]."""
        count = tf.shape(embedding)[0]
        nothing = tf.zeros([0, 2], tf.int32)
        return cls(
            "whole_catalog",
            embedding,
            row=tf.range(1, count + 1),
            competes=tf.fill([count], True),
            log_q=tf.zeros([count]),
            positive_pairs=nothing,
            taken=nothing,
        )

    @classmethod
    def drawn(
        cls,
        embedding: tf.Tensor,
        row: tf.Tensor,
        competes: tf.Tensor,
        log_q: tf.Tensor,
        positive_pairs: tf.Tensor,
        taken: tf.Tensor | None = None,
    ) -> Candidates:
        """Returns a step's own choice; see the attributes. `taken` may be left out where nothing reads it."""
        taken = tf.zeros([0, 2], tf.int32) if taken is None else taken
        return cls("drawn", embedding, row, competes, log_q, positive_pairs, taken)
