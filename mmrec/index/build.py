"""The index that a config asks for, and how much of what exact search answers it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from mmrec.config import ExportConfig
from mmrec.index.cells import cut_into_cells
from mmrec.index.exact import ExactIndex
from mmrec.index.ivf import IvfIndex, probes_needed

_ANSWERS = 10  # of recall@10
_BATCH = 64


def build_index(
    table: np.ndarray, config: ExportConfig, held_out: Callable[[], tuple[np.ndarray, np.ndarray]], seed: int = 0
) -> tuple[ExactIndex | IvfIndex, dict]:
    """Builds an index and measures it on held-out queries.

    Args:
      table: float32 [N + 1, D], by item row; row 0 is padding.
      config: `index`, `index_storage` and `index_recall` are read.
      held_out: called where something is rounded or skipped; returns queries, float32 [Q, D], at least one (they
        decide how many cells are read), and item rows that are no answer to them, int32 [Q, E], 0 pads.
      seed: of k-means.

    Returns:
      The index, and for the manifest: `kind`, `storage`, `bytes` (of all that is searched), of cells `cells`,
      `cell_size`, `probes` and the `share` of cells that is read, and where `held_out` was called `recall@10`, the
      share that it finds of the answers of exact search in float32, and `queries`, the number behind that.
    """
    index: ExactIndex | IvfIndex = ExactIndex(table, config.index_storage)
    facts = {"kind": config.index, "storage": config.index_storage}
    if (config.index, config.index_storage) == ("exact", "float32"):
        return index, facts | {"bytes": index.nbytes}
    queries, exclude = held_out()
    right = found(ExactIndex(table), queries, exclude)
    if config.index == "ivf":
        cells = cut_into_cells(index.embeddings().numpy(), seed)
        index = IvfIndex(index, cells, probes_needed(cells, queries, right, config.index_recall))
    measured = recall(found(index, queries, exclude), right)
    if config.index == "ivf":
        most = len(cells.rows)
        while measured < config.index_recall and index.probes < most:  # rounding hides some that are read
            index.probes = min(2 * index.probes, most)
            measured = recall(found(index, queries, exclude), right)
        facts |= {"cells": most, "cell_size": cells.rows.shape[1], "probes": index.probes, "share": index.probes / most}
    return index, facts | {"bytes": index.nbytes, "recall@10": measured, "queries": len(queries)}


def found(index: ExactIndex | IvfIndex, queries: np.ndarray, exclude: np.ndarray) -> np.ndarray:
    """Returns int32 [Q, 10 or N if that is less], the rows that an index answers with; 0 where there are no more."""

    def answers(query, k, out):
        return index.search(query, k, out)[0]

    rows = tf.TensorSpec([None, None], tf.int32)
    given = [tf.TensorSpec([None, queries.shape[1]]), tf.TensorSpec([None], tf.int32), rows]
    search = tf.function(answers, given, autograph=False)
    parts = [slice(start, start + _BATCH) for start in range(0, len(queries), _BATCH)]
    wanted = tf.fill([_BATCH], _ANSWERS)
    rows = [search(queries[part], wanted[: len(queries[part])], tf.cast(exclude[part], tf.int32)) for part in parts]
    return np.concatenate(rows)


def recall(rows: np.ndarray, right: np.ndarray) -> float:
    """Returns the share of the `right` rows (int32 [Q, K], 0: none) that stand in `rows` (int32 [Q, K])."""
    hits = (rows[:, :, np.newaxis] == right[:, np.newaxis]).any(axis=1) & (right > 0)
    return float(hits.sum() / max(1, (right > 0).sum()))
