"""Measures how sure it is that one of two models ranks better, by a bootstrap over users and seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmrec.evaluation.intervals import resampled_means

_ZERO = 1e-12  # sums of the same values in another order differ by less


@dataclass(frozen=True)
class Comparison:
    """The comparison of two models, for M metrics.

    Attributes:
      a, b: float64 [M], means over users and seeds.
      difference: float64 [M], `b - a`.
      low, high: float64 [M], the 2.5% and 97.5% percentiles of the resampled differences.
      probability: float64 [M], the share of resamples in which `b` is better; ties count half.
    """

    a: np.ndarray
    b: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    probability: np.ndarray


def compare_models(a: np.ndarray, b: np.ndarray, samples: int = 1000, seed: int = 0) -> Comparison:
    """Compares two models on the same users, each trained once or with several seeds.

    Each resample draws Q users, the same for both models, and for each model S - 1 of its S seeds, all with
    replacement. (S draws would make the spread over seeds look smaller than it is by (S - 1) / S, a third for three
    seeds.) With one seed nothing is known about the spread over seeds, and the interval is over users only.

    Args:
      a: float64 [M, S, Q], M metrics of S seeds for Q users.
      b: float64 [M, T, Q], of the same users in the same order.
      samples: number of resamples.
      seed: seed of the resamples.

    Returns:
      The comparison.

    Raises:
      ValueError: `a` and `b` have other numbers of dimensions, or not the same M and Q.

    Source: Rao and Wu, JASA 1988, doi:10.1080/01621459.1988.10478591 (n - 1 draws), here for seeds only: there are
    enough users for it not to matter.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 3 or b.ndim != 3 or (a.shape[0], a.shape[2]) != (b.shape[0], b.shape[2]):
        raise ValueError(f"`a` and `b` must be [M, S, Q] and [M, T, Q]. Received: {[*a.shape]} and {[*b.shape]}.")
    generator = np.random.default_rng([seed, 1])
    # One call for both sides: every row sees the same users.
    means = resampled_means(np.concatenate([a, b], axis=1), samples, seed)  # [M, S + T, samples]
    mean_a, mean_b = (
        np.einsum("msk,ks->mk", part, _seed_weights(part.shape[1], samples, generator))
        for part in np.split(means, [a.shape[1]], axis=1)
    )
    difference = mean_b - mean_a  # [M, samples]
    difference[np.abs(difference) < _ZERO] = 0.0
    low, high = np.percentile(difference, [2.5, 97.5], axis=1)
    probability = (difference > 0).mean(axis=1) + (difference == 0).mean(axis=1) / 2
    a, b = a.mean(axis=(1, 2)), b.mean(axis=(1, 2))
    return Comparison(a, b, b - a, low, high, probability)


def _seed_weights(seeds: int, samples: int, generator: np.random.Generator) -> np.ndarray:
    """Returns float64 [samples, S], the weight of each seed in each resample; rows sum to 1."""
    if seeds == 1:
        return np.ones((samples, 1))
    return generator.multinomial(seeds - 1, np.full(seeds, 1 / seeds), samples) / (seeds - 1)
