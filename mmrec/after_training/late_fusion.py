"""Chooses the weights of scores that are added up, by how well their sum ranks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.counting import at_least
from mmrec.evaluation.metrics import per_query
from mmrec.evaluation.ranking import THREADS, Scorer, batch_size

# Weights to try, as multiples of the one that gives a part the deviation of the first.
_STEPS = np.append(0, 2.0 ** np.arange(-6, 3.5, 0.5))
_ROUNDS = 2  # passes through all parts
_BEST = 150  # items of each part, per query, among which sums are ranked
_BATCH = 256  # most queries scored at once


def fusion_weights(parts: Sequence[Scorer], queries: Queries, items: int, batch: int = _BATCH) -> np.ndarray:
    """Chooses weights by the NDCG@10 of the weighted sum, one part after the other, from 0 for all but the first.

    A sum is ranked not among all items, but among the relevant ones and those that are among the best of some part: an
    item that leads in a sum is rarely far behind in every part. So hundreds of sums are ranked in seconds.

    Args:
      parts: scorers of the same queries; several threads call them at once. The first has weight 1.
      queries: the queries; take them from validation.
      items: N, the number of items.
      batch: most queries scored at once.

    Returns:
      float64 [parts], one weight per part; 0 for parts that do not help.
    """
    pool, values = _pooled(parts, queries, items, batch)
    row = queries.relevant.row_of_value
    place = (pool[row] == queries.relevant.values[:, np.newaxis]).argmax(axis=1)  # [V], of relevant items in the pool

    def ndcg(weights: np.ndarray) -> float:
        total = np.where(pool > 0, values @ weights.astype(np.float32), -np.inf)
        own = Ragged(total[row, place], queries.relevant.offsets)
        return float(per_query(Ragged(at_least(total, own), own.offsets), (10,))["ndcg@10"].mean())

    spread = values[pool > 0].std(axis=0)
    weights = np.zeros(len(parts))
    weights[0], reached = 1.0, ndcg(np.eye(len(parts))[0])
    with ThreadPoolExecutor(THREADS) as threads:
        for part in list(range(1, len(parts))) * _ROUNDS:
            tried = np.tile(weights, (len(_STEPS), 1))
            tried[:, part] = _STEPS * spread[0] / max(spread[part], 1e-12)
            scores = list(threads.map(ndcg, tried))
            if max(scores) > reached:
                reached, weights = max(scores), tried[np.argmax(scores)]
    return weights


def _pooled(parts: Sequence[Scorer], queries: Queries, items: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns int32 [Q, P], the item rows to rank, padded with 0; and float32 [Q, P, parts], their scores."""
    best = min(_BEST, items)
    relevant = np.zeros((len(queries.user), queries.relevant.lengths.max(initial=0)), np.int32)
    column = np.arange(len(queries.relevant.values)) - queries.relevant.offsets[queries.relevant.row_of_value]
    relevant[queries.relevant.row_of_value, column] = queries.relevant.values
    batch = batch_size(items * len(parts) * THREADS, most)

    def block(start: int) -> tuple[np.ndarray, np.ndarray]:
        asked = np.arange(start, min(start + batch, len(queries.user)))
        scores = [part(asked) for part in parts]
        seen = queries.seen.take(asked)
        chosen = [relevant[asked]]
        for score in scores:
            ranked = score.copy()
            ranked[:, 0] = -np.inf
            ranked[seen.row_of_value, seen.values] = -np.inf
            top = np.argpartition(-ranked, best - 1, axis=1)[:, :best].astype(np.int32)
            chosen.append(np.where(np.isfinite(np.take_along_axis(ranked, top, axis=1)), top, 0))
        pool = np.sort(np.concatenate(chosen, axis=1), axis=1)
        pool[:, 1:][pool[:, 1:] == pool[:, :-1]] = 0  # each row once
        return pool, np.stack([np.take_along_axis(score, pool, axis=1) for score in scores], axis=2)

    with ThreadPoolExecutor(THREADS) as threads:
        pools, values = zip(*threads.map(block, range(0, len(queries.user), batch)), strict=True)
    return np.concatenate(pools), np.concatenate(values)
