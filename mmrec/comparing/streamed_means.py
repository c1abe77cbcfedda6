"""Computes means over users who come in batches, with bootstrap intervals, in memory that does not grow with them."""

from __future__ import annotations

import numpy as np


class Resamples:
    """Draws how often each user occurs in each resample, batch after batch.

    A resample of Q users holds each user about Poisson(1) times, independently, so Q need not be known.

    Args:
      samples: S, the number of resamples.
      seed: seed of the draws; the same seed and users give the same resamples.

    Source: Chamandy et al., Estimating uncertainty for massive data streams, Google 2012.
    """

    def __init__(self, samples: int, seed: int):
        self.samples = samples
        self._generator = np.random.default_rng(seed)

    def weights(self, users: int) -> np.ndarray:
        """Returns float64 [users, 1 + S]: 1, for the mean itself, then the weights in the resamples."""
        drawn = self._generator.poisson(1.0, (users, self.samples))
        return np.concatenate([np.ones([users, 1]), drawn], axis=1)


class StreamedMeans:
    """Means of M values over the users for whom each is defined.

    Args:
      values: M, the number of values.
      samples: S, the number of resamples, as in `Resamples`.
    """

    def __init__(self, values: int, samples: int):
        self._sum, self._weight = np.zeros([2, values, 1 + samples])

    def add(self, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds users.

        Args:
          values: float64 [M, Q]; NaN where a value is not defined for a user.
          weights: float64 [Q, 1 + S], those of `Resamples`.
        """
        defined = ~np.isnan(values)
        self._sum += np.where(defined, values, 0.0) @ weights
        self._weight += defined.astype(np.float64) @ weights

    @property
    def users(self) -> np.ndarray:
        """int64 [M], the number of users for whom each value was defined."""
        return self._weight[:, 0].astype(np.int64)

    def means(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the means and the ends of their 95% intervals, float64 [M] each; NaN where no user has the value."""
        with np.errstate(invalid="ignore"):
            means = self._sum / self._weight  # [M, 1 + S]; a resample may have drawn nobody
        bounds = np.full([2, len(means)], np.nan)
        for row, resampled in enumerate(means[:, 1:]):
            drawn = resampled[~np.isnan(resampled)]
            if len(drawn):
                bounds[:, row] = np.percentile(drawn, [2.5, 97.5])
        return means[:, 0], *bounds
