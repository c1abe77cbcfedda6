"""The vocabulary: item id <-> row, for the whole catalog. Row 0 is padding, and stands for unknown ids."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmrec.values import Spellings


class Vocabulary:
    """The fixed numbering of a catalog's items; different spellings of an id are one (see `values.Spellings`).

    Args:
      item_ids: strings [N], unique; the i-th gets row i + 1.

    Attributes:
      ids: str objects [N + 1]; `ids[0]` is "".

    >>> vocabulary = Vocabulary(["mug", "lamp"])
    >>> vocabulary.rows(["lamp", "unheard of"]).tolist()
    [2, 0]
    """

    def __init__(self, item_ids: Sequence[str]):
        self.ids = np.array(["", *item_ids], dtype=object)
        self._spellings = Spellings(self.ids)
        if not pd.Index(self.ids).is_unique:
            raise ValueError("`item_ids` must be unique and not empty.")

    def grown(self, item_ids: Sequence[str]) -> Vocabulary:
        """Returns the numbering for a later catalog: new ids get the next rows, in their order.

        No row changes; ids that the later catalog lacks keep theirs.

        >>> Vocabulary(["mug", "lamp"]).grown(["bowl", "lamp"]).ids.tolist()
        ['', 'mug', 'lamp', 'bowl']
        """
        fresh = self.rows(item_ids) == 0
        return Vocabulary([*self.ids[1:], *np.array([*item_ids], dtype=object)[fresh]])

    def to_bytes(self) -> bytes:
        """Returns a JSON file of the ids in row order."""
        return json.dumps(self.ids[1:].tolist(), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Vocabulary:
        """Returns the numbering that `to_bytes` wrote."""
        return cls(json.loads(content))

    @property
    def items(self) -> int:
        """Number of items N; rows run from 1 to N."""
        return len(self.ids) - 1

    def rows(self, item_ids: Sequence[str]) -> np.ndarray:
        """Returns int32 [R]: the row of each id, 0 for ids that the catalog lacks."""
        return np.maximum(self._spellings.places(item_ids), 0).astype(np.int32)
