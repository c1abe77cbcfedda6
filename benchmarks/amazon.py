"""Test figures of the two public configs over several seeds: leave-one-out, whole catalog, seen items excluded.

`beauty` is pipelines/configs/amazon_beauty.yaml (ids and titles), `beauty_ids` the same without titles, and `sports` is
pipelines/configs/amazon_sports.yaml (ids; it has no titles). Each figure is the mean over users of the mean over seeds,
with a 95% interval over both; `item_knn` beside it is the baseline of the same run.

    python -m benchmarks.amazon [--json FILE] [--quick] [--seeds S] [--runs DIR] [--only NAME]

Reads `amazon_beauty` and `amazon_sports` from the folder MMREC_DATA, by default ../shared/data beside the checkout.
Under `--runs` (by default a temporary folder) a run that is there already is read, not trained again. `--quick` trains
for one epoch on 400 users of Beauty: it shows that all runs, and nothing else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from benchmarks.peers.ours import CONFIG, beauty_config
from benchmarks.peers.problem import read
from mmrec.comparing.models import compare_models
from mmrec.evaluation.query_table import read_query_table
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.training.run_folder import RunFolder

IDS = {"item.modalities": ["item_id"]}
METRICS = {"ndcg@10": "ndcg", "hit_rate@10": "hr"}
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
        found = compare_models(np.zeros_like(values[:, :1]), values)
        rows.add(
            f"{short}@10:{name}",
            values.mean(),
            f"{values.shape[2]:,} users",
            ci95=[float(found.low[0]), float(found.high[0])],
            seeds=values.mean(axis=2)[0].tolist(),
            item_knn=round(metrics[0]["baselines"]["item_knn"]["test"][metric], 5),
        )
    rows.add(f"train_seconds:{name}", np.mean([one["seconds"]["train"] for one in metrics]), "s")


def main() -> None:
    def options(parser) -> None:
        parser.add_argument("--seeds", type=int, default=3, help="trainings of each config")
        parser.add_argument("--runs", metavar="DIR", help="where runs are kept")
        parser.add_argument("--only", metavar="NAME", help="beauty, beauty_ids or sports")

    rows = Rows(__doc__, options)
    with tempfile.TemporaryDirectory() as folder:
        kept = {"runs_dir": rows.options.runs or f"{folder}/runs", "saved_models_dir": f"{folder}/models"}
        if rows.options.quick:
            small = beauty_config(read(Path(folder), QUICK_USERS, True), folder, **kept)
            configs = {"beauty": small, "beauty_ids": mmrec.Config.load(small, **IDS)}
        else:
            beauty = mmrec.Config.load(CONFIG, **kept)
            sports = mmrec.Config.load(CONFIG.with_name("amazon_sports.yaml"), **kept)
            configs = {"beauty": beauty, "beauty_ids": mmrec.Config.load(beauty, **IDS), "sports": sports}
        for name, config in configs.items():
            if rows.options.only not in (None, name):
                continue
            runs = []
            for seed in range(rows.options.seeds):
                print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
                runs.append(run_of(mmrec.Config.load(config, seed=seed)))
            add(rows, name, runs)
    rows.write()


if __name__ == "__main__":
    main()
