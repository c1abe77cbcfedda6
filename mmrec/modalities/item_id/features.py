"""Serves rows of the id table by item row."""

from __future__ import annotations

import numpy as np

from mmrec.data.features import Draw, Features, FeatureSource


class ItemIdFeatures(FeatureSource):
    """Rows of the id table: `item_id_row` int32 [R], 0 for items without training events.

    Args:
      train_counts: int64 [N + 1], training events by item row.
    """

    def __init__(self, train_counts: np.ndarray):
        trained = train_counts > 0
        self.table_rows = np.where(trained, np.cumsum(trained), 0).astype(np.int32)

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {"item_id_row": self.table_rows[rows]}
