"""Caches what a frozen backbone makes of each distinct text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmrec.data.feature_store import FeatureStore, digest
from mmrec.data.features import Draw, Features, FeatureSource
from mmrec.data.standardise import Standardisation, standardisation


class PooledTextFeatures(FeatureSource):
    """A backbone's outputs: `text_features` float32 [R, F] and `text_present` bool [R].

    Args:
      values: float32 [E, F], memory-mapped or not.
      places: int64 [N + 1], where each row's output stands in `values`; -1: no text.
      trained: how many of the first values training asks for. None: all.
    """

    def __init__(self, values: np.ndarray, places: np.ndarray, trained: int | None = None):
        self.values, self.places, self._trained = values, places, trained

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        places = self.places[rows]
        present = places >= 0
        values = self.values if draw is None else self.values[:, : self._trained]
        vectors = np.zeros((len(rows), values.shape[1]), np.float32)
        vectors[present] = values[places[present]]
        return {"text_features": vectors, "text_present": present}

    def standardisation(self) -> Standardisation:
        """Returns mean and standard deviation over the distinct texts, float32 [F] each; 1 where none varies."""
        return standardisation(self.values, np.unique(self.places[self.places >= 0]))


def pool_texts(
    tokens: np.ndarray,
    store: FeatureStore,
    encode: Callable[[np.ndarray], np.ndarray],
    progress: Callable[[str, int, int], None],
    batch: int = 64,
    trained: int | None = None,
) -> PooledTextFeatures:
    """Encodes the texts that the store lacks, the shortest first so that little padding is read.

    Args:
      tokens: int32 [N, T] of the items in row order, 0 pads at the end.
      store: entries float32 [F], by digest of the tokens.
      encode: int32 [B, T'] -> float32 [B, F].
      progress: (what, done, total) -> None, after each batch.
      batch: texts at once.
      trained: see `PooledTextFeatures`.

    Returns:
      The outputs of all items, by item row.
    """
    lengths = (tokens != 0).sum(axis=1)
    digests = [digest(row[:length].astype("<i4").tobytes()) for row, length in zip(tokens, lengths, strict=True)]
    first = {one: row for row, one in reversed(list(enumerate(digests)))}
    missing = [first[one] for one in store.missing([d for d, n in zip(digests, lengths, strict=True) if n])]
    missing.sort(key=lambda row: lengths[row])
    for start in range(0, len(missing), batch):
        rows = missing[start : start + batch]
        store.append([digests[row] for row in rows], encode(tokens[rows, : lengths[rows].max()]))
        progress("texts", start + len(rows), len(missing))
    places = np.where(lengths > 0, store.places(digests), -1)
    return PooledTextFeatures(store.values, np.concatenate([[-1], places]), trained)
