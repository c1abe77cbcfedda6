"""What the defaults are chosen by: one change at a time to a small training, on three shops, and on Amazon Beauty.

On the shops the base trains with an LSTM over the history, cosine, `retrieval.negatives: in_batch` and softmax, on ids,
texts (read by the mean of their tokens, to be cheap) and, where there are any, attributes. Each row changes one thing,
the last ones two. `beauty` is sparser: its base is pipelines/configs/amazon_beauty.yaml with ids alone, 64 dimensions
and no neighbours beside the towers, for 5 epochs; some of its variants are no part of mmrec (`benchmarks.tried`).

A value is NDCG@10 on validation, whole catalog, seen items excluded, the mean over users of the mean over seeds; test
is not read. Differences to the base are paired over users and resample seeds too. Seconds are those of a whole
training. The weights of `neighbours` are chosen on the same validation.

    python -m benchmarks.defaults [--json FILE] [--quick] [--seeds S] [--shops sample,wines,retail,beauty] [--only A,B]

Reads `wines`, `retail` and `amazon_beauty` from the folder MMREC_DATA, by default ../shared/data beside the checkout.
`--quick` trains the tiny sample shop for one epoch with one seed, and only some variants: it shows that they run, and
nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.common import DATA, Rows, data  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from benchmarks.tried import WeightAverage
from mmrec.comparing.models import compare_models
from mmrec.data.shop_tables import Tables
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.fit import fit_model
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.training.run_folder import RunFolder
from pipelines.prepare_retail import prepare

Variants = Mapping[str, Mapping[str, Any]]
"""Config changes by variant, the base first."""

BASE, AVERAGED = "base", "averaged_weights"
VARIANTS = {
    BASE: {},
    "gru": {"query.history": "gru"},
    "transformer": {"query.history": "transformer"},
    "mean": {"query.history": "mean"},
    "dot": {"retrieval.similarity": "dot"},
    "bpr": {"retrieval.loss": "bpr"},
    "gbce": {"retrieval.loss": "gbce"},
    "mixed": {"retrieval.negatives": "mixed"},
    "sampled": {"retrieval.negatives": "sampled"},
    "catalog": {"retrieval.negatives": "catalog"},
    "hard_negatives": {"retrieval.hard_negatives": 32},
    "memory": {"retrieval.memory": 1024},
    "alignment": {"retrieval.alignment": 0.1},
    "ids_from_neighbours": {"item.item_id.initial": "neighbours"},
    "neighbours": {"retrieval.neighbours": 256},
    "transformer_dot": {"query.history": "transformer", "retrieval.similarity": "dot"},
    "catalog_dot": {"retrieval.negatives": "catalog", "retrieval.similarity": "dot"},
}
SPARSE_VARIANTS = {
    BASE: {},
    "lstm": {"query.history": "lstm"},
    "gru": {"query.history": "gru"},
    "mean": {"query.history": "mean"},
    "cosine": {"retrieval.similarity": "cosine"},
    "in_batch": {"retrieval.negatives": "in_batch"},
    "ids_from_random": {"item.item_id.initial": "random"},
    "neighbours": {"retrieval.neighbours": 256},
    "constant_rate": {"training.schedule": "constant"},
    "dropout_0": {"query.dropout": 0.0},
    "dropout_.2": {"query.dropout": 0.2},
    "batch_128": {"training.batch_size": 128},
    "smoothed_labels": {"retrieval.loss": "benchmarks.tried:Smoothed"},
    "gelu": {"query.history": "benchmarks.tried:Gelu"},
    "hidden_items": {"query.history": "benchmarks.tried:HidesItems"},
    AVERAGED: {},
}
QUICK = (BASE, "hard_negatives", "neighbours", "gbce")
SHORT = {
    "retrieval.negatives": "in_batch",
    "item.text.encoder": "mean",
    "item.item_id.initial": "random",
    "training.epochs": 12,
    "evaluation.max_validation_queries": 2000,
}
SAMPLE = {
    "item.modalities": ["text", "attributes", "item_id"],
    "data.catalog.attributes": {"category": "category", "price": "number"},
    "training.batch_size": 128,
}
WINES = {"item.modalities": ["text", "item_id"], "training.batch_size": 512}
BEAUTY = {"item.modalities": ["item_id"], "item.dim": 64, "retrieval.neighbours": 0, "training.epochs": 5}


def ndcg(config: mmrec.Config, tables: Tables, averaged: bool) -> np.ndarray:
    """Trains a model; returns float64 [Q], NDCG@10 of the validation queries, perhaps by averages of its weights."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        config = resolve(mmrec.Config.load(config, runs_dir=folder), tables)
        with RunFolder.open(config, "benchmark") as run:
            average = WeightAverage()
            fitted = fit_model(config, tables, run, [average] if averaged else [])
        if averaged:
            average.put_in(fitted.model)
        asked, table = tables.split.validation, fitted.item_table()
        queries = fitted.embedder.queries(table, asked.history, asked.context)
        scorer = embedding_scorer(queries, table.scored)
        found = evaluate(scorer, asked, fitted.items, (10,), bootstrap_samples=0, top_k=0)
    return found.per_query["ndcg@10"]


def shop(name: str, folder: Path, settings: Mapping[str, object], quick: bool) -> mmrec.Config:
    """Returns the base's config of a shop, whose files are written to a folder where they have to be made first."""
    if name == "sample":
        return mmrec.Config.load(mmrec.write_sample_shop(folder, "tiny" if quick else "small"), **settings | SAMPLE)
    os.environ.setdefault("MMREC_DATA", str(DATA))
    if name == "wines":
        data("wines")
        return mmrec.Config.load("pipelines/configs/wines.yaml", **settings | WINES)
    if name == "beauty":
        data("amazon_beauty")
        kept = {key: value for key, value in settings.items() if key == "data.cache_dir"}
        return mmrec.Config.load("pipelines/configs/amazon_beauty.yaml", **kept | BEAUTY)
    prepare(data("retail", "online_retail.csv.gz"), folder)
    files = {"data.catalog.path": f"{folder}/catalog.csv", "data.interactions.path": f"{folder}/interactions.csv"}
    return mmrec.Config.load("pipelines/configs/retail.yaml", **settings | files)


def compare(rows: Rows, name: str, config: mmrec.Config, seeds: int, variants: Variants) -> None:
    """Trains the variants, the base first, on one shop and adds their rows."""
    tables = load_tables(config)
    values: dict[str, list[np.ndarray]] = {variant: [] for variant in variants}
    seconds: dict[str, list[float]] = {variant: [] for variant in variants}
    for seed in range(seeds):  # by turns: what slows the machine down for a while slows all variants down
        for variant in variants:
            start = time.perf_counter()
            changed = mmrec.Config.load(config, seed=seed, **variants[variant])
            values[variant].append(ndcg(changed, tables, variant == AVERAGED))
            seconds[variant].append(time.perf_counter() - start)
            print(f"{name} {variant} {seed}: {values[variant][-1].mean():.4f}", file=sys.stderr, flush=True)
    base = np.stack(values[BASE])[np.newaxis]  # [1, seeds, users]
    for variant, each in values.items():
        one = np.stack(each)[np.newaxis]
        found = compare_models(base, one)
        rows.add(
            f"{name}:ndcg@10:{variant}",
            one.mean(),
            f"{one.shape[2]:,} users",
            **({} if variant == BASE else {"minus_base_ci95": [float(found.low[0]), float(found.high[0])]}),
            seeds=one.mean(axis=2)[0].tolist(),
            seconds=round(statistics.median(seconds[variant])),
        )


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each")
    parser.add_argument("--shops", default="sample,wines,retail,beauty", help="which, by commas")
    parser.add_argument("--only", default="", help="these variants beside the base, by commas")


def main() -> None:
    rows = Rows(__doc__, add_options)
    options = rows.options
    only = QUICK if options.quick else [BASE, *options.only.split(",")] if options.only else None
    for name in ["sample"] if options.quick else options.shops.split(","):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"data.cache_dir": f"{folder}/cache", **SHORT}
            settings |= {"training.epochs": 1} if options.quick else {}
            config = shop(name, Path(folder) / "shop", settings, options.quick)
            known = SPARSE_VARIANTS if name == "beauty" else VARIANTS
            variants = {variant: known[variant] for variant in only or known}
            compare(rows, name, config, 1 if options.quick else options.seeds, variants)
    rows.write()


if __name__ == "__main__":
    main()
