"""An export and data to metrics."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmrec import schema
from mmrec.config import Config
from mmrec.data.context import QueryContext
from mmrec.data.frames import config_with_frames
from mmrec.data.ragged import Ragged
from mmrec.errors import InputError
from mmrec.index.item_table import ItemTable
from mmrec.jobs.judge import judge, table_slices
from mmrec.jobs.tables import load_tables
from mmrec.serving.recommender import Recommender
from mmrec.serving.verify import read_delisted

_LAST = -1e9  # score of what cannot be answered; far below any other, and finite


def evaluate(
    export_dir: str | os.PathLike[str], config: Config | Mapping[str, Any] | str | Path | None = None, **overrides: Any
) -> dict:
    """Judges an export as training judged its model: the same split, queries, baselines and slices.

    Items come from the export; every query is embedded by its `embed_query` signature. Items that the data has and the
    export lacks rank last, and are skipped in histories. Those that a refresh delisted are among the data's, though its
    catalog lacks them by now: who asked for one is asked about, and counts.

    Args:
      export_dir: the version folder.
      config: where the data is, as for `train`; None: the config that the export was trained with, after a refresh with
        the catalog of the refresh.
      **overrides: config values, as for `train`.

    Returns:
      The content of metrics.json, without `seconds`.

    Raises:
      InputError: no export, config or data cannot be used, or the export has no item of the data.
    """
    shop = Recommender(export_dir)
    with config_with_frames(shop.manifest["config"] if config is None else config, overrides) as loaded:
        return _evaluate(shop, loaded)


def _evaluate(shop: Recommender, config: Config) -> dict:
    tables = load_tables(config, read_delisted(shop.path))
    exported = shop.spellings.places(tables.vocabulary.ids) + 1
    _require_some(shop, config, tables.vocabulary.ids[1:], exported[1:])
    # An item that the export lacks cannot be an answer: one more dimension puts it behind all that can.
    lacking = np.where(exported > 0, 0.0, _LAST).astype(np.float32)
    table = ItemTable.of(np.column_stack([shop.item_table[exported], lacking]))  # [N + 1, D + 1]

    def embed_queries(table: ItemTable, histories: Ragged, context: QueryContext | None) -> np.ndarray:
        ids = [tables.vocabulary.ids[histories[i]].tolist() for i in range(len(histories))]
        inputs = {} if context is None else tables.context_lists(context)
        asked = shop.embed_queries(ids, {name: inputs[name] for name in inputs if name in shop.context_inputs})
        return np.column_stack([asked, np.ones(len(asked), np.float32)])  # [Q, D + 1]

    judged = judge(config, tables, table_slices(tables), table, embed_queries)
    trained = shop.manifest["metrics"]
    carried = ("fusion", "mapping", "neighbours")  # an earlier export lacks some
    return judged | {name: trained.get(name, {}) for name in carried}


def _require_some(shop: Recommender, config: Config, ids: np.ndarray, exported: np.ndarray) -> None:
    """Says how many items the export lacks; raises `InputError` where that is all of them."""
    lacking = int((exported == 0).sum())
    if lacking == len(ids):
        raise InputError(
            f"{config.data.catalog.path}: no item of it is in the export {shop.path}. Received: {ids[0]!r}; the export "
            f"has {shop.items[schema.ID].iloc[0]!r}. Give the config that it was trained with."
        )
    if lacking:
        print(f"{lacking:,} of {len(ids):,} items are not in the export and rank last", file=sys.stderr, flush=True)
