"""Ranks of the relevant items among the whole catalog, found by counting."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.errors import InputError
from mmrec.evaluation.counting import at_least, best

Scorer = Callable[[np.ndarray], np.ndarray]
"""Takes query indices, int [B]; returns float32 [B, N + 1], the score of every item row; column 0 is ignored."""

SCORE_BYTES = 64 * 2**20
"""Most bytes of scores that are asked of a scorer at once."""

_FAST_BATCH = 512  # enough for the matrix product; with fewer, its threads wait for each other where cores are busy
THREADS = min(8, os.cpu_count() or 1)
"""NumPy multiplies, compares and counts without the interpreter's lock."""


@dataclass(frozen=True)
class Ranking:
    """Where the relevant items came.

    Attributes:
      ranks: Q rows beside `Queries.relevant`: each relevant item's 1-based rank; ties count against the model.
      top: int32 [Q, K], the best item rows that are not excluded, best first, ties by row; 0 where there are no more.
      candidates: int, N, the number of items in the catalog.
    """

    ranks: Ragged
    top: np.ndarray
    candidates: int


def embedding_scorer(query_embeddings: np.ndarray, item_table: np.ndarray) -> Scorer:
    """Builds the scorer of a two-tower model.

    Args:
      query_embeddings: float32 [Q, D].
      item_table: float32 [N + 1, D], by item row; row 0 is padding.

    Returns:
      A scorer of dot products.
    """
    return _DotProducts(query_embeddings, item_table)


class _DotProducts:
    def __init__(self, query_embeddings: np.ndarray, item_table: np.ndarray):
        self._query, self._item = query_embeddings, item_table

    def __call__(self, queries: np.ndarray) -> np.ndarray:
        return self._query[queries] @ self._item.T  # [B, N + 1]

    @property
    def never_nan(self) -> bool:
        """Whether the embeddings are finite and their products cannot overflow: quicker than to look at every score."""
        if np.result_type(self._query, self._item) != np.float32:
            return False
        query, item = (max(float(part.max()), -float(part.min())) for part in (self._query, self._item))
        return self._item.shape[1] * query * item < float(np.finfo(np.float32).max) / 2  # not so where one is NaN


def batch_size(items: int, batch: int | None = None, most_bytes: int = SCORE_BYTES) -> int:
    """Returns how many queries are scored at once: 1 or more, at most `batch`, with scores of at most `most_bytes`."""
    return max(1, min(batch or _FAST_BATCH, most_bytes // (4 * (items + 1))))


def rank(
    scorer: Scorer,
    queries: Queries,
    items: int,
    top_k: int = 0,
    batch: int | None = None,
    most_bytes: int = SCORE_BYTES,
    threads: int = THREADS,
) -> Ranking:
    """Ranks every relevant item among all items of the catalog that the query does not exclude.

    A rank is the number of such items, itself included, with a score >= its own. So ties count against the model, and
    one that scores everything alike ranks everything last.

    Args:
      scorer: scores all item rows for a batch of queries; infinities are allowed, NaN is not.
      queries: Q queries.
      items: N, the number of items; they are rows 1..N.
      top_k: K, length of the lists of best items; 0 leaves them out, which is faster.
      batch: most queries scored at once. None: chosen for speed.
      most_bytes: of scores that are asked at once, in any case.
      threads: that count; the result is the same.

    Returns:
      The ranks, and the best items.

    Raises:
      InputError: when scores are NaN or of the wrong shape, or when a relevant item is excluded.
    """
    _no_excluded_answer(queries, items)
    step = batch_size(items, batch, most_bytes)
    ranks = np.zeros(len(queries.relevant.values), np.int32)
    top = np.zeros((len(queries.relevant), top_k), np.int32)
    fill = partial(_rank_block, queries, ranks, top, not getattr(scorer, "never_nan", False))
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(top), step):
            indices = np.arange(start, min(start + step, len(top)))
            # No name keeps the scores: the next ones take their place in memory, which is still in the cache.
            _rank_batch(pool, threads, _scored(scorer, indices, items), start, fill)
    return Ranking(Ragged(ranks, queries.relevant.offsets), top, items)


def _rank_batch(
    pool: ThreadPoolExecutor, threads: int, scores: np.ndarray, start: int, fill: Callable[[np.ndarray, int], None]
) -> None:
    """Fills in the ranks of the queries from `start` on by `scores` [B, N + 1], some rows in each thread."""
    rows = -(-len(scores) // threads)
    places = range(0, len(scores), rows)
    blocks = [scores[place : place + rows] for place in places]
    list(pool.map(fill, blocks, [start + place for place in places]))  # in order, so that the first error is raised


def _rank_block(
    queries: Queries, ranks: np.ndarray, top: np.ndarray, check: bool, scores: np.ndarray, start: int
) -> None:
    """Writes the part of `ranks` [V] and of `top` [Q, K] that belongs to the queries from `start` on.

    Args:
      queries: all queries.
      ranks: int32 [V], beside `queries.relevant.values`.
      top: int32 [Q, K].
      check: whether NaN is looked for.
      scores: float32 [B, N + 1] of the queries; changed and restored.
      start: place of the first of them.
    """
    if check:
        _refuse_nan(scores, start)
    seen, relevant = (_rows(part, start, len(scores)) for part in (queries.seen, queries.relevant))
    own = Ragged(scores[relevant.row_of_value, relevant.values], relevant.offsets)
    out = seen.row_of_value, seen.values
    padding, excluded = scores[:, 0].copy(), scores[out]
    scores[:, 0] = scores[out] = -np.inf
    # Only an answer that is itself at -inf has counted what is excluded: it comes last.
    most = np.repeat(scores.shape[1] - 1 - seen.lengths, relevant.lengths)
    first = queries.relevant.offsets[start]
    ranks[first : first + len(most)] = np.minimum(at_least(scores, own), most)
    if top.shape[1]:
        for query, row in enumerate(scores, start):
            answers = best(row, top.shape[1])
            top[query, : len(answers)] = answers
    scores[:, 0], scores[out] = padding, excluded  # the array may be the scorer's own


def _rows(rows: Ragged, start: int, count: int) -> Ragged:
    """Returns `count` rows from `start` on, as `take` does, in a time that does not depend on the number of rows."""
    offsets = rows.offsets[start : start + count + 1]
    return Ragged(rows.values[offsets[0] : offsets[-1]], offsets - offsets[0])


def _scored(scorer: Scorer, indices: np.ndarray, items: int) -> np.ndarray:
    scores = np.asarray(scorer(indices), np.float32)
    if scores.shape != (len(indices), items + 1):
        raise InputError(
            f"a scorer must return [queries, items + 1] = {[len(indices), items + 1]}. Received: {list(scores.shape)}."
        )
    return np.require(scores, requirements=["C", "W"])  # copied only where it must be


def _refuse_nan(scores: np.ndarray, start: int) -> None:
    if np.isnan(scores.max()):  # NaN when any value is; quicker than isnan
        bad = np.argwhere(np.isnan(scores[:, 1:]))
        if len(bad):
            raise InputError(
                f"a scorer must not return NaN. Received: NaN for query {start + bad[0, 0]}, row {bad[0, 1] + 1}. "
                "A model that does so has probably diverged: try a lower `training.learning_rate`."
            )


def _no_excluded_answer(queries: Queries, items: int) -> None:
    seen = queries.seen.row_of_value * (items + 1) + queries.seen.values
    relevant = queries.relevant.row_of_value * (items + 1) + queries.relevant.values
    place = np.minimum(np.searchsorted(seen, relevant), len(seen) - 1)  # both sorted
    both = np.flatnonzero(seen[place] == relevant) if len(seen) else ()
    if len(both):
        query, row = divmod(int(relevant[both[0]]), items + 1)
        raise InputError(f"`relevant` must hold no item of `seen`. Received: item row {row} in both for query {query}.")
