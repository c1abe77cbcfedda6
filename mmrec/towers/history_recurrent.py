"""Recurrent history towers, and the running mean that they correct."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from mmrec.config.query import QueryConfig
from mmrec.towers.history_base import HistoryTower, running_mean


class MeanHistory(HistoryTower):
    """The mean of the items so far."""

    def read(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """float32 [B, L, D] -> float32 [B, L, D]."""
        return running_mean(items)


class _RecurrentHistory(HistoryTower):
    """A recurrent network whose output corrects the mean of the items so far.

    Starting from the mean, a query is useful from the first step, and a short training only has to learn the rest.

    Source: Hidasi et al., ICLR 2016, arXiv:1511.06939 (recurrent sessions; there without the mean).
    """

    _cell: type[layers.Layer]

    def __init__(self, dim: int, config: QueryConfig, **kwargs):
        super().__init__(dim, config, **kwargs)
        self.reader = self._cell(dim, return_sequences=True)
        self.projection = layers.Dense(dim)

    def read(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """float32 [B, L, D] -> float32 [B, L, D]."""
        return running_mean(items) + self.projection(self.reader(items))


class LSTMHistory(_RecurrentHistory):
    """An LSTM that corrects the mean."""

    _cell = layers.LSTM


class GRUHistory(_RecurrentHistory):
    """A GRU that corrects the mean."""

    _cell = layers.GRU
