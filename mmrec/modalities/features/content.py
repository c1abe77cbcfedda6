"""The ready-made feature vectors of a catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from mmrec.data.content import RawField, lengthened, value_digest


@dataclass(frozen=True)
class VectorContent:
    """Vectors of N items.

    Attributes:
      values: float32 [N, F], a row of NaN where an item has none.
      counts: nothing is left out.
    """

    values: np.ndarray
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> np.ndarray:
        """bool [N], which items have no vector."""
        return np.isnan(self.values[:, 0])

    def take(self, items: np.ndarray) -> Self:
        """Returns the vectors of the items at these positions (int [S])."""
        return replace(self, values=self.values[items])

    def lengthened(self, count: int) -> Self:
        """Returns the vectors with those of more items, which have none."""
        return replace(self, values=lengthened(self.values, count, np.nan))

    def value(self, column: str, item: int) -> RawField:
        """Returns the vector of an item, float32 [F]."""
        return self.values[item]

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of the vector of an item."""
        return value_digest(self.values[item])
