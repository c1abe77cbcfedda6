"""How does mmrec compare with what one would run instead, on Amazon Beauty?

Each user's last item is the test, the one before it validation, the rest is training; the whole catalog is ranked
without the user's items, ties count against the model, the same evaluator judges all. Each contestant runs in a process
of its own:

* `popularity`; `item_knn` (`ItemKNN`'s defaults) and `item_knn_titles` (the similarity of TF-IDF titles added);
* `implicit_als`, `implicit_bm25`: the package implicit; settings are chosen on validation, seconds count all fits;
* `keras_rs_gru`: the package keras-rs on Keras 3, after its sequential example;
* `tfrs_average`, `tfrs_gru`: TensorFlow Recommenders after its tutorials, Adagrad 0.1, batches of 4,096, 10 epochs,
  metrics in training off; what they take with metrics on is extrapolated from a few steps;
* `mmrec`: pipelines/configs/amazon_beauty.yaml with 5 of its 10 epochs, chosen to fit into four times the seconds
  of `tfrs_average`; judged from its export;
* `mmrec_equal_seconds`: one epoch of the same with 64 dimensions and 512 neighbour factors, chosen to fit into the
  seconds of `tfrs_average`;
* `rate`: an mmrec training step with ids alone, see `targets_per_second`; `softmax`: its loss and gradients alone.

The recipe that the ratios refer to is the one of TensorFlow Recommenders that ranks better on validation.

    python -m benchmarks.peers [--json FILE] [--quick] [--only NAME,NAME]

Reads `amazon_beauty` from the folder MMREC_DATA, by default ../shared/data beside the checkout. Needs the extra `bench`
for the packages implicit and keras-rs; a contestant whose package is absent is left out. `--quick` takes 400 users,
their items, small models, and a contestant of each kind unless `--only` names others: it shows that they run, and
nothing else.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.common import Rows
from benchmarks.peers.measured import Measured, in_child

CONTESTANTS = {  # name -> module here, function, package that it needs
    "popularity": ("no_training", "popularity", None),
    "item_knn": ("no_training", "item_knn", None),
    "item_knn_titles": ("no_training", "item_knn_titles", None),
    "implicit_als": ("implicit_models", "als", "implicit"),
    "implicit_bm25": ("implicit_models", "bm25", "implicit"),
    "keras_rs_gru": ("keras_rs_recipe", "gru", "keras-rs"),
    "tfrs_average": ("tfrs_recipe", "average", None),
    "tfrs_gru": ("tfrs_recipe", "gru", None),
    "mmrec": ("ours", "trained", None),
    "mmrec_equal_seconds": ("ours", "in_equal_seconds", None),
    "rate": ("ours", "targets_per_second", None),
    "softmax": ("ours", "softmax_targets_per_second", None),
}
RATES = {"rate": "rate:train_targets_d64", "softmax": "rate:softmax_targets_d64"}
TFRS, OURS = ("tfrs_average", "tfrs_gru"), ("mmrec", "mmrec_equal_seconds")
QUICK = ("popularity", "item_knn_titles", "implicit_bm25", "keras_rs_gru", "tfrs_average", "mmrec", "rate", "softmax")
QUICK_USERS = 400


def main() -> None:
    rows = Rows(__doc__, _options)
    with tempfile.TemporaryDirectory() as folder:
        measured, failed = run(rows, Path(folder))
    add_ratios(rows, measured)
    rows.write()
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}; the messages are above.")


def run(rows: Rows, folder: Path) -> tuple[dict[str, Measured], list[str]]:
    """Runs the contestants that were asked for; returns what was measured of them, and who failed."""
    from benchmarks.peers.problem import read

    problem = read(folder, QUICK_USERS if rows.options.quick else None, rows.options.quick)
    figures: dict[str, Measured] = {}
    failed = []
    for name in rows.options.only or (QUICK if rows.options.quick else CONTESTANTS):
        module, function, package = CONTESTANTS[name]
        if package and find_spec(package.replace("-", "_")) is None:
            print(f"{name}: {package} is not installed (pip install mmrec[bench])")
            continue
        begin = time.monotonic()
        try:
            measured = in_child(f"benchmarks.peers.{module}", function, problem)
        except RuntimeError as error:
            failed.append(name)
            print(f"{name}: failed\n{error}", file=sys.stderr, flush=True)
            continue
        if name in RATES:
            rows.add(RATES[name], measured, "targets/s")
        else:
            figures[name] = measured
            add_rows(rows, name, measured, {package: version(package)} if package else {})
        print(f"{name}: {time.monotonic() - begin:.0f} s in all", file=sys.stderr, flush=True)
    return figures, failed


def add_rows(rows: Rows, name: str, measured: Measured, packages: dict[str, str]) -> None:
    """Adds what was measured of a contestant."""
    for part, metrics in measured.metrics.items():
        for metric in ("ndcg@10", "hit_rate@10"):
            rows.add(f"{name}/{part}/{metric}", metrics[metric], "mean over users", ci95=metrics[f"{metric}_ci95"])
    epochs = {"epochs": measured.epochs} if measured.epochs else {}
    rows.add(f"{name}/seconds", measured.seconds, "s", **epochs, **measured.said, **packages)
    if measured.targets:
        rows.add(f"{name}/rate", measured.targets / measured.seconds, "targets/s")
    rows.add(f"{name}/peak memory", measured.peak_bytes / 2**20, "MiB")
    for more, (value, unit) in measured.rows.items():
        rows.add(f"{name}/{more}", value, unit)


def add_ratios(rows: Rows, figures: dict[str, Measured]) -> None:
    """Adds how mmrec compares with the better of the recipes of TensorFlow Recommenders, where both were run."""
    recipes = [figures[name] for name in TFRS if name in figures]
    if not recipes:
        return
    recipe = max(recipes, key=lambda measured: measured.metrics["validation"]["ndcg@10"])
    for name, suffix in zip(OURS, ("", ":equal_seconds"), strict=True):
        if name in figures:
            ours = figures[name]
            ndcg, base = (measured.metrics["test"]["ndcg@10"] for measured in (ours, recipe))
            if base:  # a quick recipe may have no hit
                rows.add(f"ratio:ndcg_vs_tfrs_recipe{suffix}", ndcg / base, "times its NDCG@10 on test")
            rows.add(f"ratio:seconds_vs_tfrs_recipe{suffix}", ours.seconds / recipe.seconds, "times its seconds")


def _options(parser: argparse.ArgumentParser) -> None:
    def names(text: str) -> list[str]:
        unknown = [name for name in text.split(",") if name not in CONTESTANTS]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(CONTESTANTS)}")
        return [name for name in CONTESTANTS if name in text.split(",")]

    parser.add_argument("--only", type=names, metavar="A,B", help="run these alone")


if __name__ == "__main__":
    main()
