"""Item id <-> row. Rows cover the whole catalog; row 0 is padding and stands for unknown ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mmrec.values import Spellings


class Vocabulary:
    """The fixed numbering of a catalog's items, however their ids are spelt (see `values.Spellings`).

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

    @property
    def items(self) -> int:
        """Number of items N; rows run from 1 to N."""
        return len(self.ids) - 1

    def rows(self, item_ids: Sequence[str]) -> np.ndarray:
        """Returns int32 [R]: the row of each id, 0 for ids that the catalog lacks."""
        return np.maximum(self._spellings.places(item_ids), 0).astype(np.int32)
