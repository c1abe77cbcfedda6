"""Computes mean and standard deviation of features that may not fit in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Standardisation = tuple[np.ndarray, np.ndarray]
"""Mean and standard deviation, float32 [F] each; the deviation is 1 where a feature does not vary."""


def standardisation(values: np.ndarray, places: np.ndarray, batch: int = 1024) -> Standardisation:
    """Computes mean and standard deviation of some rows; at most `batch` of them are in memory.

    A feature that varies by no more than rounding counts as constant. The threshold is relative: networks with random
    weights have features of any size.

    Args:
      values: float32 [E, F], memory-mapped or not.
      places: int [R], the rows to use.
      batch: number of rows read at once.
    """

    def average(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        total = np.zeros(values.shape[1])
        for start in range(0, len(places), batch):
            total += of(values[places[start : start + batch]].astype(np.float64)).sum(axis=0)
        return total / max(1, len(places))

    mean = average(lambda part: part)
    deviation = np.sqrt(average(lambda part: np.square(part - mean)))
    varies = deviation > np.maximum(1e-5 * np.abs(mean), 1e-30)
    return mean.astype(np.float32), np.where(varies, deviation, 1.0).astype(np.float32)
