"""The contract of an objective: one term of the loss with its own part of each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.config import Config
from mmrec.data.examples import OwnExamples
from mmrec.data.shop_tables import Tables
from mmrec.towers.candidate import EncodedItems

if TYPE_CHECKING:
    from mmrec.models.two_tower import TwoTowerModel


class Objective(layers.Layer):
    """One term of the loss. Its own weights, if it has any, are made in its constructor or at the first loss.

    Who adds a term writes one file with a subclass, and names it in `models.objectives.names`; one of your own joins by
    `training.objectives: {"package.module:Class": weight}`.

    Args:
      name: in the logs.
    """

    def __init__(self, name: str, **kwargs):
        super().__init__(name=name, **kwargs)

    @classmethod
    def weight_in(cls, config: Config) -> float:
        """Returns the factor of this term by the config; 0: the model does without. Not asked of one's own classes."""
        raise NotImplementedError

    @classmethod
    def build_for(cls, config: Config, tables: Tables, dim: int) -> Objective:
        """Makes the objective.

        Args:
          config: with decided values (see `config.decided`).
          tables: the data that it is trained on.
          dim: D, width of an item embedding.
        """
        raise NotImplementedError

    def examples(self, config: Config, tables: Tables) -> OwnExamples | None:
        """Returns what stands in a batch beside the examples of interactions; None: nothing."""
        return None

    def loss(self, model: TwoTowerModel, batch: dict[str, tf.Tensor], items: EncodedItems, training: bool) -> tf.Tensor:
        """Computes the term for a batch.

        Args:
          model: its towers may be called.
          batch: see `data.examples.Examples`, and what `examples` adds.
          items: what the candidate tower made of `batch["rows"]`, once for all objectives.
          training: whether dropout is active.

        Returns:
          float32 [], without the weight.
        """
        raise NotImplementedError

    def follow(self, item_table: Callable[[], np.ndarray]) -> None:
        """Brings up to date what follows the weights in training, at its start and every `training.refresh_steps`.

        Args:
          item_table: () -> float32 [N + 1, D], the item embeddings as they are now.
        """
