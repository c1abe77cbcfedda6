"""Rows of different lengths, stored in two flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def distinct(values: np.ndarray) -> np.ndarray:
    """Returns the distinct values, sorted, as `np.unique` does, but faster."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


@dataclass(frozen=True)
class Ragged:
    """Integer rows of different lengths.

    Attributes:
      values: int32 [V], all rows, one after the other.
      offsets: int64 [R + 1]; row i is `values[offsets[i]:offsets[i + 1]]`.

    >>> rows = Ragged.of([[1, 2, 3], [], [4]])
    >>> rows[0].tolist(), rows.lengths.tolist()
    ([1, 2, 3], [3, 0, 1])
    >>> rows.last(2).tolist()
    [[2, 3], [0, 0], [4, 0]]
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Ragged:
        """Packs a list of rows."""
        lengths = [len(row) for row in rows]
        values = np.concatenate([np.asarray(row, np.int32) for row in rows]) if rows else np.zeros(0, np.int32)
        return cls(values.astype(np.int32), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    @classmethod
    def grouped(cls, group: np.ndarray, values: np.ndarray, groups: int) -> Ragged:
        """Packs `values` [V] by their non-decreasing `group` [V] in 0..groups-1; groups may be empty."""
        return cls(np.asarray(values, np.int32), np.searchsorted(group, np.arange(groups + 1)).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """int64 [R], the length of each row."""
        return np.diff(self.offsets)

    @property
    def row_of_value(self) -> np.ndarray:
        """int64 [V], the row of each value."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: np.ndarray) -> Ragged:
        """Returns these rows (int [S]), in this order."""
        rows = np.asarray(rows)
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return Ragged(self.values[np.repeat(self.offsets[rows], lengths) + inside], offsets)

    def where(self, keep: np.ndarray) -> Ragged:
        """Returns the same rows with only the values for which `keep` (bool [V]) holds."""
        kept = np.concatenate([[0], np.cumsum(keep)])
        return Ragged(self.values[keep], kept[self.offsets])

    def last(self, length: int) -> np.ndarray:
        """Returns int32 [R, length]: the last values of each row, left-aligned, padded with 0 at the end."""
        taken = np.minimum(self.lengths, length)
        column = np.arange(length)
        index = (self.offsets[1:] - taken)[:, None] + column
        inside = column < taken[:, None]
        padded = np.append(self.values, np.int32(0))
        return np.where(inside, padded[np.where(inside, index, len(self.values))], 0).astype(np.int32)
