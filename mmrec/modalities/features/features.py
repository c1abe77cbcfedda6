"""Serves ready-made vectors by item row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmrec.data.features import Draw, Features, FeatureSource
from mmrec.data.standardise import Standardisation, standardisation


class VectorFeatures(FeatureSource):
    """Ready-made vectors: `features` float32 [R, F], 0 where there is none, and `features_present` bool [R].

    Args:
      values: float32 [N, F] of the items in row order, memory-mapped or not; a row that is not finite is none. It is
        held as it is: a batch copies only the rows asked for.
    """

    def __init__(self, values: np.ndarray):
        self.values = values
        finite = [np.isfinite(part).all(axis=1) for part in _parts(values)]
        self.present = np.concatenate([[False], *finite])  # [N + 1]

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        present = self.present[rows]
        vectors = self.values[np.maximum(rows, 1) - 1]
        vectors[~present] = 0.0
        return {"features": vectors, "features_present": present}

    def standardisation(self) -> Standardisation:
        """Returns mean and standard deviation over the items that have a vector, float32 [F]; 1 where none varies."""
        return standardisation(self.values, np.flatnonzero(self.present[1:]))


def _parts(values: np.ndarray, rows: int = 8192) -> Iterator[np.ndarray]:
    for start in range(0, len(values), rows):
        yield values[start : start + rows]
