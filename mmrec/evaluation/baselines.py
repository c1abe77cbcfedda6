"""The popularity baseline, which a model has to beat (as it has to beat `data.item_knn`)."""

from __future__ import annotations

import numpy as np


class Popularity:
    """Scores every item by its number of training events, the same for all users. It is a `ranking.Scorer`.

    Args:
      train_counts: int64 [N + 1], training events by item row; row 0 is padding.
    """

    def __init__(self, train_counts: np.ndarray):
        self.train_counts = train_counts

    def __call__(self, queries: np.ndarray) -> np.ndarray:
        """Returns float32 [B, N + 1] for query indices int [B]."""
        counts = np.asarray(self.train_counts, np.float32)
        return np.broadcast_to(counts, (len(queries), len(counts)))
