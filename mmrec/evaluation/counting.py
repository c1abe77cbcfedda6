"""Counts the scores that are at least as large as others, and finds the largest."""

from __future__ import annotations

import numpy as np

from mmrec.data.ragged import Ragged

_WORD = 64  # comparisons that are counted at once
_GROUP = 16  # scores per group when the best are looked for
_SORT_FROM = 24  # from so many values per row on, one sort is cheaper than a count for each


def at_least(scores: np.ndarray, own: Ragged) -> np.ndarray:
    """Counts for each value the scores in its row that are at least as large.

    Args:
      scores: float32 [B, N + 1].
      own: B rows of float32 values.

    Returns:
      int64 [V], parallel to `own.values`.
    """
    counts, rows, columns = np.zeros(len(own.values), np.int64), len(scores), scores.shape[1]
    many = own.lengths >= _SORT_FROM
    for row in np.flatnonzero(many):
        values = slice(own.offsets[row], own.offsets[row + 1])
        counts[values] = columns - np.searchsorted(np.sort(scores[row]), own.values[values])
    lengths, place = np.where(many, 0, own.lengths), 0
    mask = np.empty((rows, -(-columns // _WORD) * _WORD), bool)  # whole words, the last filled up with 0s
    mask[:, columns:] = False
    while 2 * np.count_nonzero(lengths > place) >= rows:  # most rows have a value at this place: all rows in one go
        has = lengths > place
        at = np.where(has, own.offsets[:-1] + place, 0)
        np.greater_equal(scores, own.values[at][:, None], out=mask[:, :columns])
        words = np.packbits(mask, axis=1).view(np.uint64)  # [B, words]
        counts[at[has]] = np.bitwise_count(words).sum(axis=1)[has]
        place += 1
    for row in np.flatnonzero(lengths > place):
        for value in range(own.offsets[row] + place, own.offsets[row + 1]):
            counts[value] = np.count_nonzero(scores[row] >= own.values[value])
    return counts


def best(row: np.ndarray, top_k: int) -> np.ndarray:
    """Finds the largest scores.

    Args:
      row: float32 [N + 1].
      top_k: K, the largest number of places.

    Returns:
      int [<= K], their places, best first, ties by place; scores of -inf are left out.
    """
    threshold = np.finfo(np.float32).min
    groups = len(row) // _GROUP
    if groups >= top_k:  # K groups with a maximum >= x hold K scores >= x, so nothing below x can be among the best
        maxima = row[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
        threshold = max(threshold, np.partition(maxima, groups - top_k)[groups - top_k])
    places = np.flatnonzero(row >= threshold)  # [>= K], little more than K
    return places[np.argsort(-row[places], kind="stable")[:top_k]]
