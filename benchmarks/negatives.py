"""What competes with the right answer, and what ids start from: one change at a time, on the sample shop and on wines.

The base is `retrieval.negatives: in_batch` with cosine, ids, attributes and texts (read by the mean of their tokens,
to be cheap; wines have no attributes). Each row changes one thing. A value is NDCG@10 on validation, whole catalog,
seen items excluded, the mean over users of the mean over seeds: what defaults are chosen by; test is not read.
Differences to the base are paired over users and resample seeds too. Seconds are those of a whole training.

    python -m benchmarks.negatives [--json FILE] [--quick] [--seeds S]

Reads `wines` from the folder MMREC_DATA, by default ../shared/data beside the checkout. `--quick` trains the tiny
sample shop for one epoch with one seed, and only some variants: it shows that they run, and nothing else.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Sequence

from benchmarks.common import DATA, Rows, data  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from mmrec.evaluation.comparison import compare_models
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.tables import Tables, load_tables
from mmrec.jobs.train import fit_model
from mmrec.training.run_folder import RunFolder

BASE = "in_batch"
VARIANTS = {
    BASE: {},
    "mixed": {"retrieval.negatives": "mixed"},
    "sampled": {"retrieval.negatives": "sampled"},
    "catalog": {"retrieval.negatives": "catalog"},
    "hard_negatives": {"retrieval.hard_negatives": 32},
    "memory": {"retrieval.memory": 1024},
    "alignment": {"retrieval.alignment": 0.1},
    "ids_from_neighbours": {"item.item_id.initial": "neighbours"},
    "neighbours": {"retrieval.neighbours": 128},
}
QUICK = (BASE, "hard_negatives", "neighbours")
SHORT = {
    "retrieval.negatives": BASE,
    "item.text.encoder": "mean",
    "training.epochs": 12,
    "evaluation.max_validation_queries": 2000,
}
SAMPLE = {
    "item.modalities": ["text", "attributes", "item_id"],
    "data.catalog.attributes": {"category": "category", "price": "number"},
    "training.batch_size": 128,
}
WINES = {"item.modalities": ["text", "item_id"], "training.batch_size": 512}


def ndcg(config: mmrec.Config, tables: Tables) -> np.ndarray:
    """Trains a model; returns float64 [Q], NDCG@10 of the validation queries."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        config = mmrec.Config.load(config, runs_dir=folder)
        with RunFolder.open(config, "benchmark") as run:
            fitted = fit_model(config, tables, run)
        asked, table = tables.split.validation, fitted.item_table()
        queries = fitted.embedder.queries(table, asked.history, asked.context)
        scorer = embedding_scorer(queries, table[:, : queries.shape[1]])
        found = evaluate(scorer, asked, fitted.items, (10,), bootstrap_samples=0, top_k=0)
    return found.per_query["ndcg@10"]


def compare(rows: Rows, name: str, config: mmrec.Config, seeds: int, variants: Sequence[str] = tuple(VARIANTS)) -> None:
    """Trains the variants on one data set and adds their rows."""
    tables = load_tables(config)
    values: dict[str, list[np.ndarray]] = {variant: [] for variant in variants}
    seconds: dict[str, list[float]] = {variant: [] for variant in variants}
    for seed in range(seeds):  # by turns: what slows the machine down for a while slows all variants down
        for variant in variants:
            start = time.perf_counter()
            values[variant].append(ndcg(mmrec.Config.load(config, seed=seed, **VARIANTS[variant]), tables))
            seconds[variant].append(time.perf_counter() - start)
    base = np.stack(values[BASE])[np.newaxis]  # [1, seeds, users]
    for variant, each in values.items():
        one = np.stack(each)[np.newaxis]
        found = compare_models(base, one)
        rows.add(
            f"{name}:ndcg@10:{variant}",
            one.mean(),
            f"{one.shape[2]:,} users",
            minus_in_batch_ci95=[float(found.low[0]), float(found.high[0])],
            seeds=one.mean(axis=2)[0].tolist(),
            seconds=round(statistics.median(seconds[variant])),
        )


def main() -> None:
    rows = Rows(__doc__, lambda parser: parser.add_argument("--seeds", type=int, default=3, help="trainings of each"))
    quick = rows.options.quick
    with tempfile.TemporaryDirectory() as folder:
        settings = {"data.cache_dir": f"{folder}/cache", **SHORT} | ({"training.epochs": 1} if quick else {})
        shop = mmrec.write_sample_shop(f"{folder}/shop", "tiny" if quick else "small")
        sample = mmrec.Config.load(shop, **settings | SAMPLE)
        if quick:
            compare(rows, "sample", sample, 1, QUICK)
        else:
            compare(rows, "sample", sample, rows.options.seeds)
            data("wines")
            os.environ.setdefault("MMREC_DATA", str(DATA))
            wines = mmrec.Config.load("pipelines/configs/wines.yaml", **settings | WINES)
            compare(rows, "wines", wines, rows.options.seeds)
    rows.write()


if __name__ == "__main__":
    main()
