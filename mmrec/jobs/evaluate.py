"""Evaluates an export on data."""

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

_LAST = -1e9  # score of items that the export lacks: finite, and far below all others


def evaluate(
    export_dir: str | os.PathLike[str], config: Config | Mapping[str, Any] | str | Path | None = None, **overrides: Any
) -> dict:
    """Evaluates an export as training evaluated its model: with the same split, queries, baselines and slices.

    Item embeddings come from the export, and queries from its signature `embed_query`. Items of the data that the
    export lacks rank last, and are skipped in histories. Items that a refresh delisted still count as items of the
    data: queries with one as the right answer are evaluated, too.

    Args:
      export_dir: the version folder.
      config: where the data is, as for `train`. None: the config that the export was trained with; after a refresh,
        with the catalog of the refresh.
      **overrides: config values, as for `train`.

    Returns:
      The content of metrics.json, without `seconds`.

    Raises:
      InputError: the folder is not an export, config or data cannot be used, or the export has no item of the data.
    """
    shop = Recommender(export_dir)
    with config_with_frames(shop.manifest["config"] if config is None else config, overrides) as loaded:
        return _evaluate(shop, loaded)


def _evaluate(shop: Recommender, config: Config) -> dict:
    tables = load_tables(config, read_delisted(shop.path))
    exported = shop.spellings.places(tables.vocabulary.ids) + 1
    _require_some(shop, config, tables.vocabulary.ids[1:], exported[1:])
    # A further dimension puts items that the export lacks behind all others.
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
    """Reports how many items the export lacks; raises InputError if it lacks all of them."""
    lacking = int((exported == 0).sum())
    if lacking == len(ids):
        raise InputError(
            f"{config.data.catalog.path}: no item of it is in the export {shop.path}. Received: {ids[0]!r}; the export "
            f"has {shop.items[schema.ID].iloc[0]!r}. Give the config that it was trained with."
        )
    if lacking:
        print(f"{lacking:,} of {len(ids):,} items are not in the export and rank last", file=sys.stderr, flush=True)
