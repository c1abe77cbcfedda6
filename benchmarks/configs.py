"""What do the public configs reach, beside the baselines of the same run?

Each is a config of `pipelines/configs`, trained in full by `mmrec.train`; test is read once, at the end: whole catalog,
seen items excluded unless the config counts repeats, ties against the model. With several seeds a figure is the mean
over users of the mean over seeds, and its interval is over both; with one, over users. The difference to item-kNN is
paired over the users of the first seed.

    python -m benchmarks.configs [--json FILE] [--quick] [--seeds S] [--runs DIR] [--only A,B]

Reads `wines`, `retail`, `amazon_beauty` and `amazon_sports` from the folder MMREC_DATA, by default ../shared/data
beside the checkout; retail needs `python -m pipelines.prepare_retail` before. Under `--runs` (by default a temporary
folder) a run that is there already is read, not trained again. `--quick` trains for one epoch on 400 users of Beauty:
it shows that all runs, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import DATA, Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from benchmarks.peers.ours import beauty_config
from benchmarks.peers.problem import read
from benchmarks.studies.base import CONFIGS
from mmrec.comparing.models import compare_models
from mmrec.evaluation.query_table import read_query_table
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.training.run_folder import RunFolder

IDS = {"item.modalities": ["item_id"]}
REPEATS = {"retrieval.repeat_consumption": True}
PUBLIC: dict[str, tuple[str, Mapping]] = {
    "sample_shop": ("quickstart", {}),
    "wines": ("wines", {}),
    "retail": ("retail", {}),
    "retail_repeats": ("retail", {"name": "retail_repeats", **REPEATS}),
    "retail_neighbours": ("retail", {"name": "retail_neighbours", **REPEATS, "retrieval.neighbours": 1024}),
    "beauty": ("amazon_beauty", {}),
    "beauty_ids": ("amazon_beauty", IDS),
    "sports": ("amazon_sports", {}),
}
METRICS = {"ndcg@10": "ndcg@10", "hit_rate@10": "hr@10"}
QUICK_USERS = 400


def run_of(config: mmrec.Config) -> RunFolder:
    """Returns a finished run of the config: one that is there, or a new one."""
    folder, identity = Path(config.runs_dir) / config.name, run_identity(resolve(config, load_tables(config)))
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        run = RunFolder(path)
        if run.finished and run.belongs_to(identity):
            return run
    return RunFolder(mmrec.train(config).run_dir)


def add(rows: Rows, name: str, runs: list[RunFolder]) -> None:
    """Adds the figures of one config's runs, a run for each seed."""
    tables = [read_query_table(run.test_queries) for run in runs]
    metrics = [json.loads(run.metrics.read_text()) for run in runs]
    for metric, short in METRICS.items():
        values = np.stack([table.values[metric] for table in tables])[np.newaxis]  # [1, seeds, users]
        spread = compare_models(np.zeros_like(values[:, :1]), values)
        rows.add(
            f"{short}:{name}",
            values.mean(),
            f"{values.shape[2]:,} users",
            ci95=[float(spread.low[0]), float(spread.high[0])],
            seeds=values.mean(axis=2)[0].tolist(),
        )
    for baseline in ("item_knn", "popularity"):
        rows.add(f"{baseline}:{name}", metrics[0]["baselines"][baseline]["test"]["ndcg@10"], "NDCG@10")
    paired = metrics[0]["versus_baselines"]["item_knn"]["ndcg@10_difference_ci95"]
    ahead = metrics[0]["test"]["ndcg@10"] - metrics[0]["baselines"]["item_knn"]["test"]["ndcg@10"]
    rows.add(f"minus_item_knn:{name}", ahead, "NDCG@10", ci95=paired)


def _options(parser: argparse.ArgumentParser) -> None:
    def names(text: str) -> list[str]:
        unknown = [name for name in text.split(",") if name not in PUBLIC]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(PUBLIC)}")
        return text.split(",")

    parser.add_argument("--seeds", type=int, default=1, help="trainings of each config")
    parser.add_argument("--runs", metavar="DIR", help="where runs are kept")
    parser.add_argument("--only", type=names, metavar="A,B", help=", ".join(PUBLIC))


def main() -> None:
    rows = Rows(__doc__, _options)
    os.environ.setdefault("MMREC_DATA", str(DATA))
    with tempfile.TemporaryDirectory() as folder:
        kept = {"runs_dir": rows.options.runs or f"{folder}/runs", "saved_models_dir": f"{folder}/models"}
        for name in rows.options.only or (["beauty"] if rows.options.quick else PUBLIC):
            source, changes = PUBLIC[name]
            if rows.options.quick:
                config = beauty_config(read(Path(folder), QUICK_USERS, True), folder, **kept, **changes)
            else:
                config = mmrec.Config.load(CONFIGS / f"{source}.yaml", **kept, **changes)
            runs = []
            for seed in range(rows.options.seeds):
                print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
                runs.append(run_of(mmrec.Config.load(config, seed=seed)))
            add(rows, name, runs)
    rows.write()


if __name__ == "__main__":
    main()
