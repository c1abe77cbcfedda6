"""The retrieval objective: every prefix of a history asks for the item that came next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.models.candidates import Candidates
from mmrec.models.hard_negatives import HardNegatives
from mmrec.models.memory import Memory
from mmrec.models.objectives.objective import Objective
from mmrec.models.retrieval import RetrievalTask
from mmrec.towers.candidate import EncodedItems

if TYPE_CHECKING:
    from mmrec.models.two_tower import TwoTowerModel


class RetrievalObjective(Objective):
    """The loss of the next item. It reads the examples of interactions, which every batch has.

    Args:
      task: scores queries against candidates.
      whole_catalog: whether all items of a batch compete, without its padding; `competing` in the batch counts them.

    Source: Covington et al., RecSys 2016, doi:10.1145/2959100.2959190; Yi et al., RecSys 2019.
    """

    def __init__(self, task: RetrievalTask, whole_catalog: bool, **kwargs):
        super().__init__(name="retrieval", **kwargs)
        self.task, self._whole_catalog = task, whole_catalog

    @classmethod
    def weight_in(cls, config: Config) -> float:
        return 1.0

    @classmethod
    def build_for(cls, config: Config, tables: Tables, dim: int) -> RetrievalObjective:
        retrieval, competing = config.retrieval, tables.train_counts > 0
        memory = Memory(retrieval.memory, dim) if retrieval.memory else None
        hard = HardNegatives(retrieval.hard_negatives, competing, dim) if retrieval.hard_negatives else None
        task = RetrievalTask(retrieval, int(competing.sum()), memory, hard)
        return cls(task, retrieval.negatives == "catalog")

    def loss(self, model: TwoTowerModel, batch: dict[str, tf.Tensor], items: EncodedItems, training: bool) -> tf.Tensor:
        history = tf.gather(items.embedding, batch["history"])
        queries = model.query_tower(history, batch, training=training)  # [B, L + 1, D]
        asked = tf.gather_nd(queries, batch["query"])  # [Q, D]
        return self.task(
            asked,
            self._candidates(batch, items),
            batch["positive"],
            batch["query"][:, 0],
            weight=batch.get("weight"),
            training=training,
        )

    def _candidates(self, batch: dict[str, tf.Tensor], items: EncodedItems) -> Candidates:
        if self._whole_catalog:
            # A slice, and not a gather or `[1:]`, whose gradients TensorFlow computes ten times as slowly.
            size = tf.concat([batch["competing"], [-1]], axis=0)
            return Candidates.whole_catalog(tf.slice(items.embedding, [1, 0], size))
        place = batch["candidate"]
        return Candidates.drawn(
            tf.gather(items.embedding, place),
            tf.gather(batch["rows"], place),
            *(batch[name] for name in ("competes", "log_q", "positive_pairs")),
            batch.get("taken"),
        )

    def follow(self, item_table: Callable[[], np.ndarray]) -> None:
        if self.task.hard_negatives:
            self.task.hard_negatives.follow(item_table())
