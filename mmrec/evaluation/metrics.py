"""Computes the metrics of each query from the ranks of its relevant items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmrec.data.ragged import Ragged


def per_query(ranks: Ragged, k: Sequence[int] = (5, 10, 20, 50)) -> dict[str, np.ndarray]:
    """Computes every metric for every query.

    * `recall@k`: relevant items within the first k, divided by all relevant items (not by k, where there are more).
    * `ndcg@k`: sum of the gains 1 / log2(rank + 1) of the relevant items within the first k, divided by the same sum
      for the best possible list, which has min(k, relevant) of them.
    * `hit_rate@k`: 1 when any relevant item is within the first k, else 0.
    * `precision@k`: relevant items within the first k, divided by k.
    * `mrr`: 1 / rank of the best-ranked relevant item, however deep.

    Args:
      ranks: Q rows of 1-based ranks, one for each relevant item; no row is empty.
      k: list lengths.

    Returns:
      name -> float64 [Q], each value in 0..1.

    Raises:
      ValueError: a query has no relevant item, so that its recall is not defined.

    Source: Järvelin and Kekäläinen, TOIS 2002, doi:10.1145/582415.582418 (nDCG), here with gains 0 and 1.
    """
    relevant = ranks.lengths  # [Q]
    if (relevant == 0).any():
        raise ValueError(f"each query needs a relevant item. Received: none for query {int(np.argmin(relevant))}.")
    query, rank = ranks.row_of_value, ranks.values.astype(np.float64)  # [V]
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, max([*k, 1]) + 1) + 1))])  # by list length
    metrics = {}
    for length in k:
        inside = rank <= length  # [V]
        hits = np.bincount(query, inside, len(ranks))  # [Q]
        gain = np.bincount(query, inside / np.log2(rank + 1), len(ranks))  # [Q]
        metrics[f"recall@{length}"] = hits / relevant
        metrics[f"ndcg@{length}"] = gain / ideal[np.minimum(length, relevant)]
        metrics[f"hit_rate@{length}"] = (hits > 0).astype(np.float64)
        metrics[f"precision@{length}"] = hits / length
    metrics["mrr"] = 1 / np.minimum.reduceat(rank, ranks.offsets[:-1]) if len(ranks) else np.zeros(0)
    return metrics


def coverage(top: np.ndarray, items: int, k: int) -> float:
    """Returns the share of the catalog that appears in the first k answers of any query, in 0..1.

    Args:
      top: int32 [Q, K], K >= k, answered item rows; 0 is no answer.
      items: N, the number of items in the catalog.
      k: list length.
    """
    answered = np.zeros(items + 1, bool)
    answered[top[:, :k]] = True
    return float(answered[1:].sum() / items)
