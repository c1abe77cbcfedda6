"""Sources of features: what the towers read, by item row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Features = dict[str, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """The random part of a training step, and its right answers.

    Attributes:
      rng: source of random draws, such as of augmented views and of the photos that get a gradient.
      positive: int [C], positions among the requested rows of the items that are right answers in this step.
    """

    rng: np.random.Generator
    positive: np.ndarray


class FeatureSource(Protocol):
    """Gives the features of item rows. Base class: a modality of your own extends it.

    Attributes:
      longest: names of the features whose second dimension is the length of the longest requested row, and so differs
        from batch to batch.
    """

    longest: frozenset[str] = frozenset()

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        """Returns arrays by feature name, with first dimension R; names and dtypes are the same in every call.

        Args:
          rows: int [R], item rows; row 0 has no feature at all.
          draw: the random part of a training step. None: no random changes.
        """
        ...


class ArrayFeatures(FeatureSource):
    """Features that are held in memory as arrays.

    Args:
      arrays: by feature name, [N, ...], the items in row order.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = {name: np.concatenate([np.zeros_like(array[:1]), array]) for name, array in arrays.items()}

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array[rows] for name, array in self._arrays.items()}


class JoinedFeatures(FeatureSource):
    """Several sources as one.

    Args:
      sources: sources by modality; their feature names must differ.
    """

    def __init__(self, sources: Mapping[str, FeatureSource]):
        self.sources = dict(sources)
        self.longest = frozenset[str]().union(*(source.longest for source in self.sources.values()))

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array for source in self.sources.values() for name, array in source.rows(rows, draw).items()}


def in_batches(source: FeatureSource, rows: Sequence[int] | np.ndarray, batch: int = 1024) -> Iterator[Features]:
    """Yields features in batches, without random changes.

    Args:
      source: gives the features.
      rows: int [R], item rows.
      batch: largest number of rows in a batch.

    Yields:
      The features of consecutive rows, arrays by name with first dimension at most `batch`.
    """
    rows = np.asarray(rows)
    for start in range(0, len(rows), batch):
        yield source.rows(rows[start : start + batch])
