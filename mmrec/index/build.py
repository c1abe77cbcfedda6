"""Builds the index that the config names, and measures its recall against exact search."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from mmrec.config.export import ExportConfig
from mmrec.index.cells import cut_into_cells
from mmrec.index.exact import ExactIndex
from mmrec.index.ivf import IvfIndex, cells_needed, depth_held, probes_needed
from mmrec.traced import traced

_ANSWERS = 10  # of recall@10
_DEEPER = 10  # how far down recall is measured, as a multiple of the answers that it is required for
_LESS = 0.2  # how much lower recall may be there: less would always send users with many near items to exact search
_BATCH = 64


def build_index(
    table: np.ndarray, config: ExportConfig, held_out: Callable[[], tuple[np.ndarray, np.ndarray]], seed: int = 0
) -> tuple[ExactIndex | IvfIndex, dict]:
    """Builds an index and measures it on held-out queries.

    Args:
      table: float32 [N + 1, D], by item row; row 0 is padding.
      config: `k`, `index`, `index_storage` and `index_recall` are read. Recall is required for the first K answers, K
        the larger of `k` and 10.
      held_out: called if the index rounds or skips something. Returns queries, float32 [Q, D] with Q >= 1, which decide
        how many cells are read; and item rows to exclude for them, int32 [Q, E], padded with 0.
      seed: seed of k-means.

    Returns:
      The index, and facts for the manifest: `kind`, `storage` and `bytes` (of all that is searched); for an index of
      cells also `cells`, `cell_size`, `probes`, `share` (of the cells that a query reads) and `depth` (the rank down to
      which their answers are used); if `held_out` was called also `recall@10` and `recall@K` (the share of exact
      answers in float32 that the index finds) and `queries`, the number of queries for that.
    """
    index: ExactIndex | IvfIndex = ExactIndex(table, config.index_storage)
    facts = {"kind": config.index, "storage": config.index_storage}
    if (config.index, config.index_storage) == ("exact", "float32"):
        return index, facts | {"bytes": index.nbytes}
    queries, exclude = held_out()
    exact, k = ExactIndex(table), max(_ANSWERS, config.k)
    right = answer_rows(exact, queries, exclude, k)

    def measured(count: int) -> float:
        return recall(answer_rows(index, queries, exclude, count), right[:, :count])

    if config.index == "ivf":
        cells = cut_into_cells(index.stored.kept().vectors()[: index.items], seed)
        most, probes = len(cells.rows), probes_needed(cells_needed(cells, queries, right), config.index_recall)
        deep = cells_needed(cells, queries, answer_rows(exact, queries, exclude[:, :0], _DEEPER * k))

        def depth(probes: int) -> int:
            return depth_held(deep, probes, k, config.index_recall - _LESS)

        index = IvfIndex(index, cells, probes, depth(probes))
        while measured(k) < config.index_recall and index.probes < most:  # rounding loses some that are read
            index.probes = min(2 * index.probes, most)
            index.depth = depth(index.probes)
        facts |= {"cells": most, "cell_size": cells.rows.shape[1], "probes": index.probes, "share": index.probes / most}
        facts |= {"depth": index.depth}
    reached = {count: measured(count) for count in sorted({_ANSWERS, k})}
    if config.index == "ivf" and reached[k] < config.index_recall:
        print(
            f"`export.index_recall` must be reached over validation queries. Received: {config.index_recall:g}, and "
            f"all cells together reach {reached[k]:.3f}, as `export.index_storage: {config.index_storage}` rounds. Set "
            "`export.index_storage: float32`, a lower recall, or `export.index: exact`.",
            file=sys.stderr,
            flush=True,
        )
    facts |= {f"recall@{count}": share for count, share in reached.items()}
    return index, facts | {"bytes": index.nbytes, "queries": len(queries)}


def answer_rows(
    index: ExactIndex | IvfIndex, queries: np.ndarray, exclude: np.ndarray, k: int = _ANSWERS
) -> np.ndarray:
    """Searches an index.

    Args:
      index: the index of N items.
      queries: float32 [Q, D], Q >= 1.
      exclude: int [Q, E], item rows to exclude, padded with 0.
      k: number of answers per query.

    Returns:
      int32 [Q, min(k, N)], the item rows of the answers, padded with 0.
    """

    def answers(query, k, out):
        return index.search(query, k, out)[0]

    rows = tf.TensorSpec([None, None], tf.int32)
    signature = [tf.TensorSpec([None, queries.shape[1]]), tf.TensorSpec([None], tf.int32), rows]
    search = traced(answers, signature, autograph=False)
    parts = [slice(start, start + _BATCH) for start in range(0, len(queries), _BATCH)]
    wanted = tf.fill([_BATCH], k)
    rows = [search(queries[part], wanted[: len(queries[part])], tf.cast(exclude[part], tf.int32)) for part in parts]
    return np.concatenate(rows)


def recall(rows: np.ndarray, right: np.ndarray) -> float:
    """Returns the share of the `right` rows (int32 [Q, K], padded with 0) that are in `rows` (int32 [Q, K])."""
    hits = sum(np.isin(one[one > 0], answer).sum() for answer, one in zip(rows, right, strict=True))
    return float(hits / max(1, (right > 0).sum()))
