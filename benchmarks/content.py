"""What content adds on Amazon Beauty: item ids alone, titles alone, both; and for items that nobody has bought yet.

`id_text_hidden` is both, with the ids of 30% of the items hidden in each training step, so that texts are learnt for
items that have no id vector. Such items get one mapped from their titles (`item.item_id.mapping`); what ends in
`_unmapped` is the same model without it.

Models are pipelines/configs/amazon_beauty.yaml without neighbours beside the towers, and with fewer epochs; id vectors
still start from them.

`everyone` and `rare answers` (items with under 10 training events): NDCG@10 on the test, whole catalog, seen items
excluded, the mean over users of the mean over seeds. Differences to the ids are paired over users.

`cold`: 5% of the items, drawn with a fixed seed, lose every event but those that test asks for: no training, no history
and no validation answer holds them, but the catalog does. The test queries whose answer they are rank all items.

    python -m benchmarks.content [--json FILE] [--quick] [--seeds S] [--models id,text]

Reads `amazon_beauty` from the folder MMREC_DATA, by default ../shared/data beside the checkout. `--quick` trains small
models for one epoch on 400 users and their items: it shows that all runs, and nothing else.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # noqa: F401  isort: skip
import numpy as np

from benchmarks.peers.ours import beauty_config
from benchmarks.peers.problem import read
from benchmarks.trained import Shop, Trained
from mmrec.comparing.models import compare_models
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Queries
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import Scorer, embedding_scorer
from mmrec.jobs.prepare import prepare
from mmrec.jobs.resolve import resolve

BOTH = ["text", "item_id"]
MODELS = {
    "id": {"item.modalities": ["item_id"]},
    "text": {"item.modalities": ["text"]},
    "id_text": {"item.modalities": BOTH},
    "id_text_hidden": {"item.modalities": BOTH, "item.item_id.dropout": 0.3},
}
EPOCHS = 4
RARE = 10  # training events from which an item is not rare
COLD_SHARE, COLD_SEED = 0.05, 0
COLD_METRICS = ("ndcg@10", "recall@10", "recall@50")
QUICK_USERS = 400

Models = Mapping[str, Mapping[str, Any]]
"""Config changes by model."""
Values = Mapping[str, np.ndarray]
"""float64 [Q] by metric."""


def per_query(shop: Shop, scorer: Scorer) -> Values:
    """Returns the metrics of each test query."""
    test, items = shop.tables.split.test, shop.tables.vocabulary.items
    return evaluate(scorer, test, items, (10, 50), bootstrap_samples=0, top_k=0).per_query


def scorer_of(shop: Shop, trained: Trained) -> Scorer:
    """Returns a trained model as the scorer of the test queries."""
    table = trained.embedder.item_table(trained.prepared.features, shop.tables.vocabulary.items)
    return embedding_scorer(trained.embedder.queries(table, shop.tables.split.test.history), table.scored)


def train_all(shop: Shop, models: Models, seeds: int, say: Callable[[str], None]) -> dict[str, list[Values]]:
    """Trains each model with each seed; returns the metrics of the test queries by model, one entry for each seed."""
    found: dict[str, list[Values]] = defaultdict(list)
    for seed in range(seeds):  # by turns: what slows the machine down for a while slows all models down
        for name, changes in models.items():
            trained = shop.train(seed, **changes)
            found[name].append(per_query(shop, scorer_of(shop, trained)))
            if trained.unmapped is not None:
                without = dataclasses.replace(trained, embedder=trained.unmapped)
                found[f"{name}_unmapped"].append(per_query(shop, scorer_of(shop, without)))
            say(f"{name}, seed {seed}: {trained.epoch_seconds:.0f} s an epoch")
    return found


def unlaunched(tables: Tables, cold: np.ndarray) -> Tables:
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


def add_warm(rows: Rows, found: Mapping[str, list[Values]], rare: np.ndarray) -> None:
    """Adds NDCG@10 of each model, of all queries and of those that ask for a rare item (bool [Q])."""
    for column, asked in (("everyone", np.ones(len(rare), bool)), ("rare answers", rare)):
        ndcg = {name: np.stack([seed["ndcg@10"][asked] for seed in seeds])[None] for name, seeds in found.items()}
        for name, values in ndcg.items():  # [1, seeds, queries]
            than_id = compare_models(ndcg["id"], values)
            rows.add(
                f"ndcg@10:{column}:{name}",
                values.mean(),
                f"{asked.sum()} queries",
                minus_id_ci95=[float(than_id.low[0]), float(than_id.high[0])],
                seeds=values.mean(axis=2)[0].tolist(),
            )


def add_cold(rows: Rows, found: Mapping[str, list[Values]]) -> None:
    """Adds the metrics of each model on the queries that ask for cold items."""
    for name, seeds in found.items():
        for metric in COLD_METRICS:
            values = np.stack([seed[metric] for seed in seeds])[None]  # [1, seeds, Q]
            than_id = compare_models(np.stack([seed[metric] for seed in found["id"]])[None], values)
            rows.add(
                f"{metric}:cold:{name}",
                values.mean(),
                f"{values.shape[2]} queries",
                minus_id_ci95=[float(than_id.low[0]), float(than_id.high[0])],
            )


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each")
    parser.add_argument("--models", default=",".join(MODELS), help="which, by commas, the first one `id`")


def main() -> None:
    rows = Rows(__doc__, add_options)
    quick, seeds, begin = rows.options.quick, rows.options.seeds, time.monotonic()
    models = {name: MODELS[name] for name in rows.options.models.split(",")}

    def say(text: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {text}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        problem = read(Path(folder), QUICK_USERS if quick else None, quick)
        changes = {"retrieval.neighbours": 0, "training.epochs": 1 if quick else EPOCHS}
        shop = Shop(beauty_config(problem, folder, **changes))
        found = train_all(shop, models, seeds, say)
        add_warm(rows, found, (shop.tables.train_counts < RARE)[shop.tables.split.test.relevant.values])
        items = shop.tables.vocabulary.items
        cold = np.append(False, np.random.default_rng(COLD_SEED).permutation(items) < round(COLD_SHARE * items))
        shop.tables = unlaunched(shop.tables, cold)
        shop.prepared = prepare(resolve(shop.config, shop.tables), shop.tables)
        found = train_all(shop, models, seeds, lambda text: say(f"cold: {text}"))
        found["popularity"] = [per_query(shop, Popularity(shop.tables.train_counts))]
        add_cold(rows, found)
    rows.write()


if __name__ == "__main__":
    main()
