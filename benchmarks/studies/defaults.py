"""Which settings should be the defaults, by one change at a time to a small training?

On three shops the base trains with an LSTM over the history, cosine, `retrieval.negatives: in_batch` and softmax, on
ids, texts (read by the mean of their tokens, to be cheap) and, where there are any, attributes, for twelve epochs.
`beauty` is sparser: its base is pipelines/configs/amazon_beauty.yaml with ids alone, 64 dimensions and no neighbours
beside the towers, for five epochs; some of its variants are no part of mmrec. NDCG@10 on validation; test is not read.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.common import data
from benchmarks.studies.base import CONFIGS, Shop, Study, Variants, public_shop, sample_shop, shop_of
from pipelines.prepare_retail import prepare

VARIANTS: Variants = {
    "base": {},
    "gru": {"query.history": "gru"},
    "transformer": {"query.history": "transformer"},
    "mean": {"query.history": "mean"},
    "dot": {"retrieval.similarity": "dot"},
    "bpr": {"retrieval.loss": "bpr"},
    "gbce": {"retrieval.loss": "gbce"},
    "mixed": {"retrieval.negatives": "mixed"},
    "sampled": {"retrieval.negatives": "sampled"},
    "catalog": {"retrieval.negatives": "catalog"},
    "hard negatives": {"retrieval.hard_negatives": 32},
    "memory": {"retrieval.memory": 1024},
    "alignment": {"retrieval.alignment": 0.1},
    "ids from neighbours": {"item.item_id.initial": "neighbours"},
    "neighbours": {"retrieval.neighbours": 256},
    "transformer, dot": {"query.history": "transformer", "retrieval.similarity": "dot"},
    "catalog, dot": {"retrieval.negatives": "catalog", "retrieval.similarity": "dot"},
}
SPARSE_VARIANTS: Variants = {
    "base": {},
    "lstm": {"query.history": "lstm"},
    "gru": {"query.history": "gru"},
    "mean": {"query.history": "mean"},
    "cosine": {"retrieval.similarity": "cosine"},
    "in_batch": {"retrieval.negatives": "in_batch"},
    "ids from random": {"item.item_id.initial": "random"},
    "neighbours": {"retrieval.neighbours": 256},
    "constant rate": {"training.schedule": "constant"},
    "dropout 0": {"query.dropout": 0.0},
    "dropout .2": {"query.dropout": 0.2},
    "batch 128": {"training.batch_size": 128},
    "smoothed labels": {"retrieval.loss": "benchmarks.studies.tried:Smoothed"},
    "gelu": {"query.history": "benchmarks.studies.tried:Gelu"},
    "hidden items": {"query.history": "benchmarks.studies.tried:HidesItems"},
}
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


def retail(folder: Path, quick: bool) -> Shop:
    """Returns the retail shop, prepared into the folder."""
    if not folder.exists():
        prepare(data("retail", "online_retail.csv.gz"), folder)
    files = {"data.catalog.path": f"{folder}/catalog.csv", "data.interactions.path": f"{folder}/interactions.csv"}
    return shop_of(CONFIGS / "retail.yaml", folder, {**SHORT, **files, **({"training.epochs": 1} if quick else {})})


STUDY = Study(
    shops={
        "sample shop": sample_shop(**SHORT | SAMPLE),
        "wines": public_shop("wines.yaml", "wines", **SHORT | WINES),
        "retail": retail,
        "beauty": public_shop("amazon_beauty.yaml", "amazon_beauty", **BEAUTY),
    },
    variants=VARIANTS,
    own_variants={"beauty": SPARSE_VARIANTS},
    quick=("hard negatives", "neighbours", "gbce"),
)
