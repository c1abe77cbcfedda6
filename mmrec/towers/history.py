"""The history towers by name; see `towers.history_base` for their contract."""

from __future__ import annotations

from mmrec.towers.history_recurrent import GRUHistory, LSTMHistory, MeanHistory
from mmrec.towers.history_transformer import TransformerHistory

HISTORY_TOWERS = {"mean": MeanHistory, "lstm": LSTMHistory, "gru": GRUHistory, "transformer": TransformerHistory}
