"""Computes bootstrap intervals of means over users."""

from __future__ import annotations

import numpy as np

MOST_BYTES = 64 * 2**20
"""Most bytes of resampling weights in memory at once."""


def mean_ci95(
    values: np.ndarray, samples: int = 1000, seed: int = 0, most_bytes: int = MOST_BYTES
) -> tuple[np.ndarray, np.ndarray]:
    """Computes 95% percentile-bootstrap intervals of means, all from the same resamples of the queries.

    Args:
      values: float64 [..., Q], e.g. [metrics, Q]; there is one query per user, and users are resampled.
      samples: number of resamples.
      seed: seed of the resamples; the same seed and Q draw the same ones.
      most_bytes: of resampling weights in memory at once; results do not depend on it.

    Returns:
      low, high: float64 [...], the 2.5% and 97.5% percentiles of the resampled means.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
    """
    values = np.asarray(values, np.float64)
    means = resampled_means(values, samples, seed, most_bytes).reshape(-1, samples)  # [M, samples]
    low, high = np.percentile(means, [2.5, 97.5], axis=1)  # [M] each
    return low.reshape(values.shape[:-1]), high.reshape(values.shape[:-1])


def resampled_means(values: np.ndarray, samples: int = 1000, seed: int = 0, most_bytes: int = MOST_BYTES) -> np.ndarray:
    """Computes means over resamples of the queries, drawn with replacement; every row sees the same ones.

    Args:
      values: float64 [..., Q], Q >= 1.
      samples: number of resamples.
      seed: seed of the resamples; the same seed and Q draw the same ones.
      most_bytes: of resampling weights in memory at once; results do not depend on it.

    Returns:
      float64 [..., samples].
    """
    values = np.asarray(values, np.float64)
    queries = values.shape[-1]
    if not queries:
        raise ValueError(f"`values` must hold at least one query. Received shape: {list(values.shape)}.")
    flat = values.reshape(-1, queries)  # [M, Q]
    generator = np.random.default_rng(seed)
    means = np.empty((len(flat), samples))
    step = max(1, most_bytes // (8 * queries))
    for start in range(0, samples, step):
        count = min(step, samples - start)
        weights = np.empty((queries, count))  # how often each query was drawn: multinomial
        for sample in range(count):
            weights[:, sample] = np.bincount(generator.integers(queries, size=queries), minlength=queries)
        means[:, start : start + count] = flat @ weights / queries  # [M, count]
    return means.reshape(*values.shape[:-1], samples)


def difference_ci95(
    ours: np.ndarray, theirs: np.ndarray, samples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Computes 95% intervals of paired mean differences: a resampled user contributes both values.

    Args:
      ours: float64 [..., Q].
      theirs: float64 [..., Q], of the same queries in the same order.
      samples: number of resamples.
      seed: seed of the resamples.

    Returns:
      low, high: float64 [...], of the mean of `ours - theirs`.
    """
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        raise ValueError(
            f"`ours` and `theirs` must be of the same queries. Received shapes: {[*ours.shape]} and {[*theirs.shape]}."
        )
    return mean_ci95(ours - theirs, samples, seed)
