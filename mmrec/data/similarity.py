"""Measures how similar vectors are."""

from __future__ import annotations

import numpy as np


def mean_cosine(vectors: np.ndarray) -> float:
    """Returns the mean cosine of all pairs of N vectors, in -1..1; 0 where there is no pair.

    Args:
      vectors: float32 [N, D]; a vector of zeros has cosine 0 with all others.

    >>> mean_cosine(np.array([[2, 0], [1, 0], [0, 3]], np.float32))
    0.3333333333333333
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit, pairs = vectors / np.maximum(length, 1e-12), len(vectors) * (len(vectors) - 1)
    total = np.square(unit.sum(axis=0, dtype=np.float64)).sum() - np.count_nonzero(length)  # no pairs with itself
    return float(total / max(1, pairs))
