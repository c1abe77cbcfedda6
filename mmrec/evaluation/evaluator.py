"""Evaluates a scorer: ranks once, then computes metrics, intervals and slices from those ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmrec.data.splits import Queries
from mmrec.errors import InputError
from mmrec.evaluation.intervals import mean_ci95
from mmrec.evaluation.metrics import coverage, per_query
from mmrec.evaluation.ranking import Ranking, Scorer, rank
from mmrec.evaluation.slices import sliced_metrics


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of a scorer.

    Attributes:
      metrics: name -> mean over queries; `coverage@k` if lists were kept; and `<name>_ci95` -> [low, high].
      slices: slice -> {metric: mean, ..., `queries`: count}.
      per_query: name -> float64 [Q].
      user: int32 [Q], the user of each query.
      ranking: the ranks and lists that all of this is computed from.
      dropped: number of answers or queries that were left out, by reason.
    """

    metrics: dict[str, float | list[float]]
    slices: dict[str, dict[str, float | int]]
    per_query: dict[str, np.ndarray]
    user: np.ndarray
    ranking: Ranking
    dropped: dict[str, int]

    @property
    def queries(self) -> int:
        """Q, the number of queries that were ranked."""
        return len(self.user)

    @property
    def candidates(self) -> int:
        """N, the number of competing items."""
        return self.ranking.candidates


def evaluate(
    scorer: Scorer,
    queries: Queries,
    items: int,
    k: Sequence[int] = (5, 10, 20, 50),
    *,
    item_slices: Mapping[str, np.ndarray] | None = None,
    bootstrap_samples: int = 1000,
    seed: int = 0,
    top_k: int | None = None,
    batch: int | None = None,
) -> Evaluation:
    """Evaluates a scorer by ranking the whole catalog for every query.

    During training only the means matter: `bootstrap_samples=0, top_k=0` is faster.

    Args:
      scorer: see `ranking.Scorer`.
      queries: Q >= 1 queries, each with a relevant item.
      items: N, the number of items; they are rows 1..N.
      k: list lengths of the metrics; 10 is added for the slices, not for the means.
      item_slices: name -> bool [N + 1], the items of a slice. None: no slices at all; {}: only those by history length.
      bootstrap_samples: number of resamples of users for the intervals; 0 leaves the intervals out.
      seed: seed of the resamples.
      top_k: length of the lists that are kept, and largest k of `coverage@k`. None: the largest k.
      batch: most queries scored at once. None: chosen for speed and bounded memory.

    Returns:
      The evaluation.

    Raises:
      InputError: there is no query; and as in `rank`.
    """
    if not len(queries.relevant):
        raise InputError(f"evaluation needs at least one query. Received: none; left out: {queries.dropped or 'none'}.")
    ranking = rank(scorer, queries, items, max(k) if top_k is None else top_k, batch)
    values = per_query(ranking.ranks, k)
    metrics: dict[str, float | list[float]] = {name: float(value.mean()) for name, value in values.items()}
    for length in k:
        if length <= ranking.top.shape[1]:
            metrics[f"coverage@{length}"] = coverage(ranking.top, items, length)
    if bootstrap_samples:
        low, high = mean_ci95(np.stack(list(values.values())), bootstrap_samples, seed)
        for name, *bounds in zip(values, low.tolist(), high.tolist(), strict=True):
            metrics[f"{name}_ci95"] = bounds
    slices = {} if item_slices is None else sliced_metrics(ranking.ranks, queries, items, item_slices)
    return Evaluation(metrics, slices, values, queries.user, ranking, dict(queries.dropped))
