"""Ranks the relevant items among the whole catalog, by counting higher scores."""

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
"""Takes query indices, int [B]; returns float32 [B, N + 1], scores by item row; column 0 is ignored."""

SCORE_BYTES = 64 * 2**20
"""Most bytes of scores that a scorer has to return at once."""

_FAST_BATCH = 512  # enough for the matrix product; with fewer, its threads wait for each other on busy cores
THREADS = min(8, os.cpu_count() or 1)
"""Number of threads that rank: NumPy multiplies, compares and counts without the interpreter's lock."""


@dataclass(frozen=True)
class Ranking:
    """The ranks of the relevant items, and the best items, of Q queries.

    Attributes:
      ranks: Q rows, parallel to `Queries.relevant`: the 1-based rank of each relevant item; ties count against the
        model.
      top: int32 [Q, K], the best item rows that are not excluded, best first, ties by row; padded with 0.
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
        """Whether the embeddings are finite and their products cannot overflow: cheaper than checking every score."""
        if np.result_type(self._query, self._item) != np.float32:
            return False
        query, item = (max(float(part.max()), -float(part.min())) for part in (self._query, self._item))
        return self._item.shape[1] * query * item < float(np.finfo(np.float32).max) / 2  # false where one is NaN


def batch_size(items: int, batch: int | None = None, most_bytes: int = SCORE_BYTES) -> int:
    """Returns how many queries to score at once, at least 1.

    Args:
      items: N, the number of items.
      batch: largest number of queries. None: 512, which is enough for speed.
      most_bytes: most bytes of their scores; with a single query there may be more.
    """
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

    The rank of an item is the number of such items, itself included, whose score is at least its own. So ties count
    against the model, and a model that scores all items alike ranks them all last.

    Args:
      scorer: scores all item rows for a batch of queries; infinities are allowed, NaN is not.
      queries: Q queries.
      items: N, the number of items; they are rows 1..N.
      top_k: K, length of the lists of best items; 0 makes no lists, which is faster.
      batch: most queries scored at once. None: chosen for speed.
      most_bytes: most bytes of scores at once, whatever `batch` is.
      threads: number of threads that count; results do not depend on it.

    Returns:
      The ranks, and the best items.

    Raises:
      InputError: scores are NaN or have the wrong shape, or a relevant item is excluded.
    """
    _no_excluded_answer(queries, items)
    step = batch_size(items, batch, most_bytes)
    ranks = np.zeros(len(queries.relevant.values), np.int32)
    top = np.zeros((len(queries.relevant), top_k), np.int32)
    fill = partial(_rank_block, queries, ranks, top, not getattr(scorer, "never_nan", False))
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(top), step):
            indices = np.arange(start, min(start + step, len(top)))
            # Nothing refers to the scores afterwards: the next ones reuse their memory, which is still in the cache.
            _rank_batch(pool, threads, _scored(scorer, indices, items), start, fill)
    return Ranking(Ragged(ranks, queries.relevant.offsets), top, items)


def _rank_batch(
    pool: ThreadPoolExecutor, threads: int, scores: np.ndarray, start: int, fill: Callable[[np.ndarray, int], None]
) -> None:
    """Fills in the ranks of the queries from `start` on, by their `scores` [B, N + 1], in several threads."""
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
      ranks: int32 [V], parallel to `queries.relevant.values`.
      top: int32 [Q, K].
      check: whether to look for NaN.
      scores: float32 [B, N + 1], of B queries; changed and restored.
      start: index of the first of these queries.
    """
    if check:
        _refuse_nan(scores, start)
    seen, relevant = (_rows(part, start, len(scores)) for part in (queries.seen, queries.relevant))
    own = Ragged(scores[relevant.row_of_value, relevant.values], relevant.offsets)
    out = seen.row_of_value, seen.values
    padding, excluded = scores[:, 0].copy(), scores[out]
    scores[:, 0] = scores[out] = -np.inf
    # The count includes excluded items only if the answer itself is at -inf: it then comes last.
    most = np.repeat(scores.shape[1] - 1 - seen.lengths, relevant.lengths)
    first = queries.relevant.offsets[start]
    ranks[first : first + len(most)] = np.minimum(at_least(scores, own), most)
    if top.shape[1]:
        for query, row in enumerate(scores, start):
            answers = best(row, top.shape[1])
            top[query, : len(answers)] = answers
    scores[:, 0], scores[out] = padding, excluded  # the array may be the scorer's own


def _rows(rows: Ragged, start: int, count: int) -> Ragged:
    """Returns `count` rows from `start` on, as `take` does, but in a time that depends only on `count`."""
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
    if np.isnan(scores.max()):  # NaN if any value is; faster than isnan
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
