"""The answers of an export."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Answers(NamedTuple):
    """The items that answer B histories or items, best first.

    K is at most the `k` that was asked for; it is smaller where the export has fewer items. A row with fewer answers
    than others ends in "".

    Attributes:
      item_ids: str objects [B, K], item ids, best first; "" pads at the end.
      scores: float32 [B, K], the score of each item, higher is better; the lowest finite float32 beside "".
    """

    item_ids: np.ndarray
    scores: np.ndarray
