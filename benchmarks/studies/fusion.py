"""Which fusion ranks best, and what each modality adds, one change at a time?

The base reads all modalities of a data set and fuses them by concatenation; other variants are the other fusions, the
base without one modality, and one modality alone. To be cheap, texts are read by the mean of their tokens, ids start
from random vectors, and trainings take six epochs (wines: four). NDCG@10 on validation. `mean` is left out: compared by
cosine, it is `sum`.
"""

from __future__ import annotations

from benchmarks.studies.base import Study, Variants, public_shop, sample_shop
from mmrec.towers.fusion import FUSIONS

BASE = "concatenation"
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


def variants(modalities: tuple[str, ...]) -> Variants:
    """Returns the changes by name, the base first."""
    changes: dict[str, dict] = {BASE: {}} | {name: {"item.fusion": name} for name in FUSIONS if name != "mean"}
    for modality in modalities:
        others = [other for other in modalities if other != modality]
        changes[f"without {modality}"] = {"item.modalities": others}
        changes[f"only {modality}"] = {"item.modalities": [modality]}
    return changes


STUDY = Study(
    shops={
        "sample shop": sample_shop(**SHORT, **SAMPLE),
        "wines": public_shop("wines.yaml", "wines", **SHORT | WINES),
    },
    variants=variants(("image", "text", "attributes", "item_id")),
    own_variants={"wines": variants(("image", "text", "item_id"))},
    quick=("gated", "late", "without image"),
)
