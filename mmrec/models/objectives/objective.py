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

    To add a term, write one file with a subclass, and name it in `models.objectives.names`; a class of your own joins
    by `training.objectives: {"package.module:Class": weight}`.

    Args:
      name: of the term in the logs.
    """

    def __init__(self, name: str, **kwargs):
        super().__init__(name=name, **kwargs)

    @classmethod
    def weight_in(cls, config: Config) -> float:
        """Returns the config's factor of this term; 0 leaves it out. A class of your own need not define this."""
        raise NotImplementedError

    @classmethod
    def build_for(cls, config: Config, tables: Tables, dim: int) -> Objective:
        """Makes the objective.

        Args:
          config: with decided values (see `config.decided`).
          tables: the data that it is trained on.
          dim: D, width of an item embedding.

        Returns:
          The objective, ready for `loss`.
        """
        raise NotImplementedError

    def examples(self, config: Config, tables: Tables) -> OwnExamples | None:
        """Returns the term's own examples, which join each batch beside those of interactions.

        Args:
          config: with decided values.
          tables: the data that it is trained on.

        Returns:
          The examples; None: the term needs none.
        """
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
        """Updates what depends on the weights; training calls it at its start and every `training.refresh_steps`.

        Args:
          item_table: () -> float32 [N + 1, D], the current item embeddings.
        """
