"""The alignment objective: a contrastive loss between the modalities of an item."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import tensorflow as tf

from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.models.catalog_softmax import catalog_softmax
from mmrec.models.objectives.objective import Objective
from mmrec.towers.candidate import EncodedItems

if TYPE_CHECKING:
    from mmrec.models.two_tower import TwoTowerModel

_TEMPERATURE = 0.07  # CLIP's at the start; not that of retrieval, whose scores need not be cosines


class AlignmentObjective(Objective):
    """Finds an item's vector of one modality by that of another, among the items of a step.

    Args:
      answers_alone: whether only right answers are compared. Where the whole catalog competes, pairs of all of its
        items would cost far more than all else.
    """

    def __init__(self, answers_alone: bool, **kwargs):
        super().__init__(name="alignment", **kwargs)
        self._answers_alone = answers_alone

    @classmethod
    def weight_in(cls, config: Config) -> float:
        return config.retrieval.alignment

    @classmethod
    def build_for(cls, config: Config, tables: Tables, dim: int) -> AlignmentObjective:
        return cls(config.retrieval.negatives == "catalog")

    def loss(self, model: TwoTowerModel, batch: dict[str, tf.Tensor], items: EncodedItems, training: bool) -> tf.Tensor:
        parts = items.vectors, items.present
        if self._answers_alone:
            answers = 1 + tf.unique(batch["positive"])[0]
            parts = tf.nest.map_structure(lambda part: tf.gather(part, answers), parts)
        return alignment_loss(*parts)


def alignment_loss(vectors: Sequence[tf.Tensor], present: Sequence[tf.Tensor]) -> tf.Tensor:
    """Computes how hard it is to find an item's vector of one modality by that of another.

    For each pair of modalities, the items that have both compete: the cross entropy of an item's own vector among all
    of the other modality, by cosine, and the same the other way round.

    Args:
      vectors: M >= 2 tensors, float32 [B, D], of the modalities.
      present: M tensors, bool [B], whether an item has it.

    Returns:
      float32 [], the mean over pairs of modalities and both directions; 0 for a pair that no item has.

    Source: Radford et al., ICML 2021, arXiv:2103.00020 (CLIP), between two modalities, with a learnt temperature.
    """
    pairs = itertools.combinations(zip(vectors, present, strict=True), 2)
    losses = [_pair(one, other, has_one & has_other) for (one, has_one), (other, has_other) in pairs]
    return tf.add_n(losses) / len(losses)


def _pair(one: tf.Tensor, other: tf.Tensor, both: tf.Tensor) -> tf.Tensor:
    """float32 [B, D] twice and bool [B] -> float32 []."""

    def loss():
        left, right = (tf.math.l2_normalize(tf.boolean_mask(vectors, both), axis=1) for vectors in (one, other))
        own = tf.range(tf.shape(left)[0])
        there, back = (
            catalog_softmax(asked / _TEMPERATURE, candidates, own)
            for asked, candidates in ((left, right), (right, left))
        )
        return (there + back) / 2

    return tf.cond(tf.reduce_any(both), loss, lambda: tf.constant(0.0))
