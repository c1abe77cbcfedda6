"""What do titles add to ids on a sparse catalog, and for items that nobody has bought yet?

On Amazon Beauty: item ids alone, titles alone, both; `both, 30% of ids hidden` hides ids in training, so that texts are
learnt for items that have no id vector, and `both, ids not mapped` gives such items none. Models are
pipelines/configs/amazon_beauty.yaml without neighbours beside the towers, for four epochs. On test: all queries, and
those whose answer has under ten training events. In the world `cold`, 5% of the items, drawn with a fixed seed, lose
every event but those that test asks for; only the queries for these are asked, and all items are ranked.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.common import data
from benchmarks.peers.ours import beauty_config
from benchmarks.peers.problem import read
from benchmarks.studies.base import Shop, Study, judged
from mmrec.after_training.fitted import Fitted
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Queries
from mmrec.jobs.tables import load_tables

BOTH = {"item.modalities": ["text", "item_id"]}
EPOCHS = 4
RARE = 10  # training events from which an item is not rare
COLD_SHARE, COLD_SEED = 0.05, 0
QUICK_USERS = 400


def beauty(folder: Path, quick: bool) -> Shop:
    """Returns Beauty; quick: 400 users of it."""
    data("amazon_beauty")
    folder.mkdir(parents=True, exist_ok=True)
    changes = {"retrieval.neighbours": 0, "training.epochs": 1 if quick else EPOCHS}
    config = beauty_config(read(folder, QUICK_USERS if quick else None, quick), str(folder), **changes)
    return Shop(config, load_tables(config))


def cold(folder: Path, quick: bool) -> Shop:
    """Returns Beauty with cold items."""
    shop = beauty(folder, quick)
    items = shop.tables.vocabulary.items
    mask = np.append(False, np.random.default_rng(COLD_SEED).permutation(items) < round(COLD_SHARE * items))
    return Shop(shop.config, before_launch(shop.tables, mask))


def before_launch(tables: Tables, cold: np.ndarray) -> Tables:
    """Returns the tables of a world in which some items (bool [N + 1]) have no events but the answers of test."""
    train, validation, test = tables.split.train, tables.split.validation, tables.split.test
    kept = ~cold[train.rows.values]
    train = dataclasses.replace(train, rows=train.rows.where(kept), time=train.time[kept])

    def asked(queries: Queries, answer_is_cold: bool) -> Queries:
        chosen = queries.take(np.flatnonzero(cold[queries.relevant.values] == answer_is_cold))
        history, seen = (rows.where(~cold[rows.values]) for rows in (chosen.history, chosen.seen))
        return dataclasses.replace(chosen, history=history, seen=seen)

    split = dataclasses.replace(tables.split, train=train, validation=asked(validation, False), test=asked(test, True))
    return dataclasses.replace(tables, split=split, train_counts=train.counts(tables.vocabulary.items))


def measure(fitted: Fitted, tables: Tables) -> dict[str, np.ndarray]:
    """Returns the metrics of each test query."""
    test = tables.split.test
    values = judged(fitted, test, (10, 50)).per_query
    rare = (tables.train_counts < RARE)[test.relevant.values]
    if (tables.train_counts[test.relevant.values] == 0).all():  # the cold world
        return {"NDCG@10": values["ndcg@10"], "recall@50": values["recall@50"]}
    return {"NDCG@10": values["ndcg@10"], "NDCG@10, rare answers": np.where(rare, values["ndcg@10"], np.nan)}


STUDY = Study(
    shops={"everyone": beauty, "cold": cold},
    variants={
        "ids": {"item.modalities": ["item_id"]},
        "titles": {"item.modalities": ["text"]},
        "both": BOTH,
        "both, 30% of ids hidden": {**BOTH, "item.item_id.dropout": 0.3},
        "both, ids not mapped": {**BOTH, "item.item_id.mapping": False},
    },
    quick=("titles", "both"),
    measure=measure,
    seeds=1,
)
