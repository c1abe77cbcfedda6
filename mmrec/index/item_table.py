"""The vectors of all items: what answers are ranked by, and what histories read beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ItemTable:
    """Vectors of items by row; row 0 is padding.

    Attributes:
      scored: float32 [N + 1, D], compared with queries.
      read: float32 [N + 1, R], read by histories behind the scored values, and never compared; R is 0 for most models.
        An item that asks (`similar`) brings them in the place of its last R scored values.
    """

    scored: np.ndarray
    read: np.ndarray

    @classmethod
    def of(cls, scored: np.ndarray) -> ItemTable:
        """Makes a table of which all is scored: float32 [N + 1, D]."""
        return cls(scored, np.zeros([len(scored), 0], np.float32))

    @classmethod
    def split(cls, vectors: np.ndarray, read_dim: int) -> ItemTable:
        """Makes a table of whole vectors, float32 [N + 1, D + R]; `read_dim` is R."""
        dim = vectors.shape[1] - read_dim
        return cls(np.ascontiguousarray(vectors[:, :dim]), np.ascontiguousarray(vectors[:, dim:]))

    def __len__(self) -> int:
        return len(self.scored)

    def vectors(self) -> np.ndarray:
        """Returns float32 [N + 1, D + R], what a history reads of each item."""
        return np.concatenate([self.scored, self.read], axis=1) if self.read.shape[1] else self.scored
