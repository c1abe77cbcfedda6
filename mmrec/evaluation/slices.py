"""Slices of a ranking that are evaluated on their own: some of the items, or some of the queries."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.metrics import per_query

METRICS = ("recall@10", "ndcg@10", "mrr", "hit_rate@10")
"""Metrics that are reported for slices and compared with baselines."""

HISTORY_LENGTHS = {
    "history_0": (0, 0),
    "history_1_to_5": (1, 5),
    "history_6_to_20": (6, 20),
    "history_over_20": (21, np.inf),
}
"""Slices of queries by the number of items in the history, both bounds included."""


def popularity_slices(train_counts: np.ndarray) -> dict[str, np.ndarray]:
    """Makes masks of items by their popularity in training.

    `cold_items` are those without training events. The others are ordered by their number of events (equal ones by
    row) and cut into ten groups of equal size, `popularity_decile_1` (least) to `popularity_decile_10` (most popular).

    Args:
      train_counts: int64 [N + 1], training events by item row; row 0 is padding.

    Returns:
      name -> bool [N + 1].
    """
    counts = np.asarray(train_counts)[1:]
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]  # trained items, least popular first
    decile = np.zeros(len(counts) + 1, np.int64)
    decile[order + 1] = 1 + 10 * np.arange(len(order)) // max(len(order), 1)
    cold = np.append(False, counts == 0)
    return {"cold_items": cold} | {f"popularity_decile_{number}": decile == number for number in range(1, 11)}


def sliced_metrics(
    ranks: Ragged, queries: Queries, items: int, item_slices: Mapping[str, np.ndarray]
) -> dict[str, dict[str, float | int]]:
    """Computes the metrics of each slice from existing ranks.

    A slice of items keeps only the relevant items in it, and the queries that then have any; all items still compete.
    A slice of queries keeps those with a history of a certain length.

    Args:
      ranks: Q rows of ranks, parallel to `queries.relevant`.
      queries: Q queries.
      items: N, the number of items.
      item_slices: name -> bool [N + 1], the items of the slice by row.

    Returns:
      name -> {`queries`: how many are left, and, where there are any, the mean of each of `METRICS`}.
    """
    slices = {}
    for name, mask in item_slices.items():
        if np.shape(mask) != (items + 1,):
            raise ValueError(
                f"`item_slices[{name!r}]` must be [items + 1] = [{items + 1}]. Received: {list(np.shape(mask))}."
            )
        inside = ranks.where(np.asarray(mask, bool)[queries.relevant.values])
        slices[name] = _means(inside, np.flatnonzero(inside.lengths))
    length = queries.history.lengths
    for name, (least, most) in HISTORY_LENGTHS.items():
        slices[name] = _means(ranks, np.flatnonzero((length >= least) & (length <= most)))
    return slices


def _means(ranks: Ragged, kept: np.ndarray) -> dict[str, float | int]:
    if not len(kept):
        return {"queries": 0}
    values = per_query(ranks.take(kept), (10,))
    return {name: float(values[name].mean()) for name in METRICS} | {"queries": len(kept)}
