"""What the towers read, by item row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Features = dict[str, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """What varies in training.

    Attributes:
      rng: draws augmented views and the photos that get a gradient.
      positive: int [C], places among the rows asked for of the items that are right answers in this step.
    """

    rng: np.random.Generator
    positive: np.ndarray


class FeatureSource(Protocol):
    """Gives the features of item rows; extend it.

    Attributes:
      longest: names of the features whose second dimension is the longest of the rows asked for, and so differs from
        batch to batch.
    """

    longest: frozenset[str] = frozenset()

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        """Returns named arrays with first dimension R.

        Args:
          rows: int [R], item rows; row 0 has no feature at all.
          draw: what varies in training. None: nothing varies.
        """
        ...


class ArrayFeatures(FeatureSource):
    """Features that stand ready by item.

    Args:
      arrays: by feature name, [N, ...] of the items in row order.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = {name: np.concatenate([np.zeros_like(array[:1]), array]) for name, array in arrays.items()}

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array[rows] for name, array in self._arrays.items()}


class JoinedFeatures(FeatureSource):
    """Several sources as one.

    Args:
      sources: by modality; their feature names must not overlap.
    """

    def __init__(self, sources: Mapping[str, FeatureSource]):
        self.sources = dict(sources)
        self.longest = frozenset[str]().union(*(source.longest for source in self.sources.values()))

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array for source in self.sources.values() for name, array in source.rows(rows, draw).items()}


def in_batches(source: FeatureSource, rows: Sequence[int] | np.ndarray, batch: int = 1024) -> Iterator[Features]:
    """Yields the features of the rows, at most `batch` at a time, without any random change."""
    rows = np.asarray(rows)
    for start in range(0, len(rows), batch):
        yield source.rows(rows[start : start + batch])
