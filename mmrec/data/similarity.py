"""How alike vectors are."""

from __future__ import annotations

import numpy as np


def mean_cosine(vectors: np.ndarray) -> float:
    """Returns the mean cosine of two different ones of N vectors, in -1..1; 0 where there are no two.

    Args:
      vectors: float32 [N, D]; to zeros everything has the cosine 0.

    >>> mean_cosine(np.array([[2, 0], [1, 0], [0, 3]], np.float32))
    0.3333333333333333
    """
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit, pairs = vectors / np.maximum(length, 1e-12), len(vectors) * (len(vectors) - 1)
    total = np.square(unit.sum(axis=0, dtype=np.float64)).sum() - np.count_nonzero(length)  # without each with itself
    return float(total / max(1, pairs))
