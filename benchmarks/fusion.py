"""Fusions and modalities, one factor at a time, on the small sample shop and on wines.

The base reads all modalities of a data set and fuses them by concatenation. One row each: every other fusion with all
modalities, and the base without one modality, or with one alone. Every variant is trained with the same seeds; a value
is the mean over users of the mean over seeds of NDCG@10 (test, whole catalog, seen items excluded). Differences to the
base are paired over users: their interval says what other users would change, not what other seeds would. Seconds are
those of an epoch without validation, the median over seeds; parameters are those that train. Learnt weights are those
of `weighted` and `late`. `mean` is left out: compared by cosine, it is `sum`.

    python -m benchmarks.fusion [--json FILE] [--quick]

Reads `wines` from the folder MMREC_DATA, by default ../shared/data beside the checkout. `--quick` trains the tiny
sample shop for one epoch with one seed, and only some variants: it shows that they run, and nothing else. To be cheap,
texts are read by the mean of their tokens, and training is shorter than the defaults.
"""

from __future__ import annotations

import os
import statistics
import tempfile

from benchmarks.common import DATA, Rows, data  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from benchmarks.trained import Shop
from mmrec.evaluation.intervals import difference_ci95
from mmrec.towers.fusion import FUSIONS

BASE = "concatenation"
QUICK = (BASE, "gated", "late", "without_image")
SHORT = {
    "item.fusion": BASE,
    "item.text.encoder": "mean",
    "item.item_id.initial": "random",
    "training.epochs": 6,
    "training.patience": 2,
    "evaluation.max_validation_queries": 500,
}
SAMPLE = {
    "item.modalities": ["image", "text", "attributes", "item_id"],
    "data.catalog.attributes": {"category": "category", "price": "number"},
}
WINES = {"training.batch_size": 512, "training.epochs": 4}


def variants(modalities: tuple[str, ...]) -> dict[str, dict]:
    """Returns what is changed, by name of the variant; the base is first."""
    found = {name: {"item.fusion": name} for name in FUSIONS if name != "mean"}
    for modality in modalities:
        others = [other for other in modalities if other != modality]
        found[f"without_{modality}"] = {"item.modalities": others}
        found[f"only_{modality}"] = {"item.modalities": [modality]}
    return found


def compare(rows: Rows, name: str, shop: Shop, changes: dict[str, dict], seeds: range) -> None:
    """Trains the variants and adds their rows."""
    ndcg = {variant: [] for variant in changes}
    seconds, weights = {variant: [] for variant in changes}, {}
    parameters = {}
    for seed in seeds:  # by turns: what slows the machine down for a while slows all variants down
        for variant, change in changes.items():
            trained = shop.train(seed, **change)
            ndcg[variant].append(shop.ndcg(trained))
            seconds[variant].append(trained.epoch_seconds)
            parameters[variant] = trained.parameters
            for modality, weight in trained.model.candidate_tower.fusion.report().items():
                weights.setdefault((variant, modality), []).append(weight)
    users = {variant: np.mean(values, axis=0) for variant, values in ndcg.items()}
    for variant, values in users.items():
        low, high = difference_ci95(values, users[BASE])
        each = [float(value.mean()) for value in ndcg[variant]]
        rows.add(
            f"{name}:ndcg@10:{variant}",
            values.mean(),
            f"{len(values)} users",
            minus_concatenation_ci95=[float(low), float(high)],
            seeds=each,
        )
    for variant in changes:
        rows.add(f"{name}:epoch_seconds:{variant}", statistics.median(seconds[variant]), "s")
        rows.add(f"{name}:parameters:{variant}", parameters[variant], "numbers")
    for (variant, modality), found in weights.items():
        rows.add(f"{name}:weight:{variant}:{modality}", np.mean(found), "share", seeds=found)


def main() -> None:
    rows = Rows(__doc__)
    size, seeds = ("tiny", range(1)) if rows.options.quick else ("small", range(3))
    with tempfile.TemporaryDirectory() as folder:
        settings = {"data.cache_dir": f"{folder}/cache", **SHORT}
        if rows.options.quick:
            settings["training.epochs"] = 1
        sample = mmrec.Config.load(mmrec.write_sample_shop(f"{folder}/shop", size), **settings, **SAMPLE)
        changes = variants(sample.item.modalities)
        if rows.options.quick:
            changes = {variant: changes[variant] for variant in QUICK}
        compare(rows, "sample", Shop(sample), changes, seeds)
        if not rows.options.quick:
            data("wines")
            os.environ.setdefault("MMREC_DATA", str(DATA))
            wines = mmrec.Config.load("pipelines/configs/wines.yaml", **settings | WINES)
            compare(rows, "wines", Shop(wines), variants(wines.item.modalities), seeds)
    rows.write()


if __name__ == "__main__":
    main()
