"""What each modality adds, on the small sample shop: id only, text only, image only, all; measured from the exports.

Some shoppers of the sample shop choose by what only the photo shows, others by what only the text says, so beside the
test as a whole there are columns for both, and for items without training events (cold). There content must answer: for
items with events, a tower that reads content can also learn each item by heart. Differences to "id only" are paired
over users.

    python -m benchmarks.ablation [--json FILE] [--quick]
"""

from __future__ import annotations

import tempfile

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np

from mmrec.data.sample_shop.world import KINDS, draw_world
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.intervals import difference_ci95
from mmrec.evaluation.metrics import per_query
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.tables import load_tables

MODALITIES = {
    "id": ["item_id"],
    "text": ["text"],
    "image": ["image"],
    "all": ["image", "text", "item_id"],
}


def per_user(folder: str, size: str, modalities: list[str], epochs: int) -> dict[str, np.ndarray]:
    """Trains and exports; returns NDCG@10 of each test query from the export, NaN where a column has none."""
    config = mmrec.Config.load(
        f"{folder}/shop/config.yaml",
        name="-".join(modalities),
        runs_dir=f"{folder}/runs",
        saved_models_dir=f"{folder}/saved_models",
        **{"data.cache_dir": f"{folder}/cache", "item.modalities": modalities, "training.epochs": epochs}
        | {"item.item_id.initial": "random"},  # neighbours would know what is taken together before ids do
    )
    shop, tables = mmrec.load(mmrec.train(config).export_dir), load_tables(config)
    test, ids = tables.split.test, tables.vocabulary.ids
    queries = shop.embed_queries([ids[test.history[i]].tolist() for i in range(len(test.user))])
    judged = evaluate(embedding_scorer(queries, shop.item_table), test, len(ids) - 1, (10,), bootstrap_samples=0)
    ndcg, world = judged.per_query["ndcg@10"], draw_world(size, 0)
    kinds = world.kind[[int(user[1:]) for user in tables.events.user_ids[test.user]]]
    cold = judged.ranking.ranks.where((tables.train_counts == 0)[test.relevant.values])
    asked = np.flatnonzero(cold.lengths)
    cold_ndcg = np.full(len(ndcg), np.nan)
    cold_ndcg[asked] = per_query(cold.take(asked), (10,))["ndcg@10"]
    columns = {"everyone": ndcg, "cold items": cold_ndcg}
    for kind in ("visual", "textual"):
        of_kind = kinds == KINDS.index(kind)
        columns[f"{kind} shoppers"] = np.where(of_kind, ndcg, np.nan)
        columns[f"{kind} shoppers, cold items"] = np.where(of_kind, cold_ndcg, np.nan)
    return columns


def main() -> None:
    rows = Rows(__doc__)
    size, epochs = ("tiny", 3) if rows.options.quick else ("small", 15)
    with tempfile.TemporaryDirectory() as folder:
        mmrec.write_sample_shop(f"{folder}/shop", size)
        found = {name: per_user(folder, size, modalities, epochs) for name, modalities in MODALITIES.items()}
    for column in found["id"]:
        asked = ~np.isnan(found["id"][column])
        for name, values in found.items():
            value, base = values[column][asked], found["id"][column][asked]
            low, high = difference_ci95(value, base)
            rows.add(
                f"ndcg@10:{column}:{name}",
                value.mean(),
                f"{asked.sum()} queries",
                minus_id_ci95=[float(low), float(high)],
            )
    rows.write()


if __name__ == "__main__":
    main()
