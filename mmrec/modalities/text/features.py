"""Serves the tokens of texts by item row."""

from __future__ import annotations

import numpy as np

from mmrec.data.features import Draw, Features, FeatureSource


class TextFeatures(FeatureSource):
    """Tokens: `text_tokens` int32 [R, T], T being the longest of the rows asked for (at least 1).

    Args:
      tokens: int32 [N, T] of the items in row order.
    """

    longest = frozenset({"text_tokens"})

    def __init__(self, tokens: np.ndarray):
        self._tokens = np.concatenate([np.zeros((1, tokens.shape[1]), np.int32), tokens])
        self._lengths = (self._tokens != 0).sum(axis=1)

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        return {"text_tokens": self._tokens[rows, : max(1, self._lengths[rows].max(initial=1))]}
