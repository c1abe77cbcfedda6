"""What is left when photos or texts vanish at serving, with and without modality dropout in training.

On the small sample shop. Models that read photos, texts, attributes and ids are trained with three shares of
`item.modality_dropout`. Then photos, or texts, are taken from 0, 25, 50, 75 and 100% of the items (drawn at random; who
lacks it at 25% lacks it at 50% too), the whole catalog is embedded again, and the test is ranked: NDCG@10, the mean
over users of the mean over seeds. Differences to the model without modality dropout, of which the same is missing, are
paired over users.

    python -m benchmarks.missing [--json FILE] [--quick]

`--quick` trains the tiny sample shop for one epoch with one seed: it shows that all runs, and nothing else.
"""

from __future__ import annotations

import tempfile

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from benchmarks.fusion import SAMPLE, SHORT
from benchmarks.trained import Shop
from mmrec.evaluation.intervals import difference_ci95

DROPOUTS, SHARES, VANISHING = (0.0, 0.15, 0.3), (25, 50, 75, 100), ("image", "text")


def cases(items: int) -> dict[str, dict[str, np.ndarray]]:
    """Returns which items (bool [N + 1]) lack which modality, by name of the case."""
    found: dict[str, dict[str, np.ndarray]] = {"nothing_missing": {}}
    place = np.random.default_rng(0).permutation(items)
    for modality in VANISHING:
        for share in SHARES:
            found[f"{modality}_missing_{share}"] = {modality: np.append(False, place < items * share / 100)}
    return found


def main() -> None:
    rows = Rows(__doc__)
    size, seeds = ("tiny", range(1)) if rows.options.quick else ("small", range(3))
    with tempfile.TemporaryDirectory() as folder:
        settings = {"data.cache_dir": f"{folder}/cache", **SHORT, **SAMPLE}
        if rows.options.quick:
            settings["training.epochs"] = 1
        shop = Shop(mmrec.Config.load(mmrec.write_sample_shop(f"{folder}/shop", size), **settings))
        missing = cases(shop.tables.vocabulary.items)
        ndcg = {(case, dropout): [] for case in missing for dropout in DROPOUTS}
        for seed in seeds:
            for dropout in DROPOUTS:
                trained = shop.train(seed, **{"item.modality_dropout": dropout})
                for case, hidden in missing.items():
                    ndcg[case, dropout].append(shop.ndcg(trained, hidden))
    users = {key: np.mean(values, axis=0) for key, values in ndcg.items()}
    for (case, dropout), values in users.items():
        low, high = difference_ci95(values, users[case, 0.0])
        rows.add(
            f"ndcg@10:{case}:dropout_{dropout}",
            values.mean(),
            f"{len(values)} users",
            minus_dropout_0_ci95=[float(low), float(high)],
        )
    rows.write()


if __name__ == "__main__":
    main()
