"""What the towers read, by item row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mmrec.data.standardise import Standardisation, standardisation

Features = dict[str, np.ndarray]

LONGEST = frozenset({"text_tokens", "audio_mel"})
"""Features whose second dimension is the longest of the rows asked for: it differs from batch to batch."""


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
    """Gives the features of item rows."""

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        """Returns named arrays with first dimension R.

        Args:
          rows: int [R], item rows; row 0 has no feature at all.
          draw: what varies in training. None: nothing varies.
        """
        ...


class TextFeatures:
    """Tokens: `text_tokens` int32 [R, T], T being the longest of the rows asked for (at least 1).

    Args:
      tokens: int32 [N, T] of the items in row order.
    """

    def __init__(self, tokens: np.ndarray):
        self._tokens = np.concatenate([np.zeros((1, tokens.shape[1]), np.int32), tokens])
        self._lengths = (self._tokens != 0).sum(axis=1)

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {"text_tokens": self._tokens[rows, : max(1, self._lengths[rows].max(initial=1))]}


class ItemIdFeatures:
    """Rows of the id table: `item_id_row` int32 [R], 0 for items without training events.

    Args:
      train_counts: int64 [N + 1], training events by item row.
    """

    def __init__(self, train_counts: np.ndarray):
        trained = train_counts > 0
        self.table_rows = np.where(trained, np.cumsum(trained), 0).astype(np.int32)

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {"item_id_row": self.table_rows[rows]}


class ArrayFeatures:
    """Features that stand ready by item.

    Args:
      arrays: by feature name, [N, ...] of the items in row order.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = {name: np.concatenate([np.zeros_like(array[:1]), array]) for name, array in arrays.items()}

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array[rows] for name, array in self._arrays.items()}


class VectorFeatures:
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
        found = self.values[np.maximum(rows, 1) - 1]
        found[~present] = 0.0
        return {"features": found, "features_present": present}

    def standardisation(self) -> Standardisation:
        """Returns mean and standard deviation over the items that have a vector, float32 [F]; 1 where none varies."""
        return standardisation(self.values, np.flatnonzero(self.present[1:]))


def _parts(values: np.ndarray, rows: int = 8192) -> Iterator[np.ndarray]:
    for start in range(0, len(values), rows):
        yield values[start : start + rows]


class JoinedFeatures:
    """Several sources as one.

    Args:
      sources: by modality; their feature names must not overlap.
    """

    def __init__(self, sources: Mapping[str, FeatureSource]):
        self.sources = dict(sources)

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {name: array for source in self.sources.values() for name, array in source.rows(rows, draw).items()}


def in_batches(source: FeatureSource, rows: Sequence[int] | np.ndarray, batch: int = 1024) -> Iterator[Features]:
    """Yields the features of the rows, at most `batch` at a time, without any random change."""
    rows = np.asarray(rows)
    for start in range(0, len(rows), batch):
        yield source.rows(rows[start : start + batch])
