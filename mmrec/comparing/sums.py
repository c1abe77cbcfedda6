"""Sums up what changed between two versions over users, in memory that does not grow with their number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mmrec.comparing.overlap import agreement, coverage, mean_of_answers
from mmrec.comparing.streamed_means import StreamedMeans

BOTH = ("overlap", "jaccard", "rbo", "kendall_tau", "changed")
"""Values of a pair of lists; see `overlap.agreement`."""

EACH = ("score", "popularity", "lacking")
"""Means over the answers of a list: their scores, how often they occur in the histories, and the share that the other
version lacks."""


class DriftSums:
    """The sums over some users.

    Args:
      sizes: number of items of a, and of b.
      items: N, the number of distinct items in a and b.
      samples: number of resamples.
    """

    def __init__(self, sizes: Sequence[int], items: int, samples: int):
        self.users, self._sizes = 0, sizes
        self._means = StreamedMeans(len(BOTH) + 3 * len(EACH), samples)
        self._shown = np.zeros([2, items + 1], np.int64)

    def add(self, values: np.ndarray, lists: np.ndarray, weights: np.ndarray) -> None:
        """Adds Q users.

        Args:
          values: float64 [M, Q], as `user_values` returns them.
          lists: int [2, Q, K], the answers of a and of b, item rows; 0 pads.
          weights: float64 [Q, 1 + samples], those of `Resamples`.
        """
        self.users += len(weights)
        self._means.add(values, weights)
        for shown, rows in zip(self._shown, lists, strict=True):
            np.add.at(shown, rows.ravel(), 1)

    def report(self) -> dict:
        """Returns the report of `compare_exports` for these users; None where no user has a value."""
        means, low, high = (_plain(part) for part in self._means.means())
        values: dict = {"users": self.users}
        for row, name in enumerate(BOTH):
            values[name] = {"mean": means[row], "ci95": [low[row], high[row]]}
        values["kendall_tau"]["users"] = int(self._means.users[BOTH.index("kendall_tau")])
        for row, name in enumerate(EACH):
            a, b, difference = range(len(BOTH) + 3 * row, len(BOTH) + 3 * row + 3)
            values[name] = {"a": means[a], "b": means[b], "difference": means[difference]}
            values[name]["difference_ci95"] = [low[difference], high[difference]]
        a, b = (coverage(shown[1:], size) for shown, size in zip(self._shown, self._sizes, strict=True))
        return values | {name: {"a": a[name], "b": b[name], "difference": b[name] - a[name]} for name in a}


def user_values(lists: np.ndarray, scores: np.ndarray, counts: np.ndarray, owned: np.ndarray) -> np.ndarray:
    """Computes all values of some users.

    Args:
      lists: int [2, Q, K], the answers of a and of b, item rows; 0 pads.
      scores: float32 [2, Q, K], the score of each answer.
      counts: int64 [N + 1], how often each item row occurs in the histories.
      owned: bool [2, N + 1], whether a and b have the item.

    Returns:
      float64 [M, Q]: the values of `BOTH`, then for each of `EACH` that of a, that of b, and b minus a; NaN where
      undefined.
    """
    a, b = lists
    alike = agreement(a, b)
    values = [alike[name] for name in BOTH]
    each = {
        "score": scores,
        "popularity": counts[lists],
        "lacking": np.stack([~owned[1][a], ~owned[0][b]]),
    }
    for name in EACH:
        of_a, of_b = mean_of_answers(a, each[name][0]), mean_of_answers(b, each[name][1])
        both = of_b - of_a  # NaN where one side has no answer
        values += [np.where(np.isnan(both), np.nan, of_a), np.where(np.isnan(both), np.nan, of_b), both]
    return np.stack(values)


def _plain(values: np.ndarray) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]
