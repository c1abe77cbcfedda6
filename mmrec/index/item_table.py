"""The table of item vectors: the values that answers are ranked by, and further ones that only histories read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ItemTable:
    """The vectors of N items by row; row 0 is padding.

    Attributes:
      scored: float32 [N + 1, D], the values that are compared with queries.
      read: float32 [N + 1, R], further values that histories read after the scored ones, and that are never compared; R
        is 0 for most models. An item used as a query (`similar`) has them in place of its last R scored values.
    """

    scored: np.ndarray
    read: np.ndarray

    @classmethod
    def of(cls, scored: np.ndarray) -> ItemTable:
        """Makes a table in which all values are scored, float32 [N + 1, D]."""
        return cls(scored, np.zeros([len(scored), 0], np.float32))

    @classmethod
    def split(cls, vectors: np.ndarray, read_dim: int) -> ItemTable:
        """Splits whole vectors, float32 [N + 1, D + R], into a table; `read_dim` is R."""
        dim = vectors.shape[1] - read_dim
        return cls(np.ascontiguousarray(vectors[:, :dim]), np.ascontiguousarray(vectors[:, dim:]))

    def __len__(self) -> int:
        return len(self.scored)

    def vectors(self) -> np.ndarray:
        """Returns float32 [N + 1, D + R], what a history reads of each item."""
        return np.concatenate([self.scored, self.read], axis=1) if self.read.shape[1] else self.scored
