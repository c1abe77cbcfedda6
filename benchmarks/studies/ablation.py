"""Does each modality answer for the shoppers who choose by it, and for items that nobody has bought yet?

Some shoppers of the small sample shop choose by what only the photo shows (visual), others by what only the text says
(textual). Items without training events are cold: there content must answer. NDCG@10 on test; ids start from random
vectors, since neighbours would know what is taken together before ids do.
"""

from __future__ import annotations

import numpy as np

from benchmarks.studies.base import Study, judged, sample_shop
from mmrec.after_training.fitted import Fitted
from mmrec.data.sample_shop.world import KINDS, draw_world
from mmrec.data.shop_tables import Tables
from mmrec.evaluation.metrics import per_query

SIZES = {150: "tiny", 1200: "small"}
"""Sizes of the sample shop by its number of items."""


def measure(fitted: Fitted, tables: Tables) -> dict[str, np.ndarray]:
    """Returns NDCG@10 of each test query, by what is asked and by whom."""
    test = tables.split.test
    evaluation = judged(fitted, test)
    ndcg, world = evaluation.per_query["ndcg@10"], draw_world(SIZES[fitted.items], 0)
    kinds = world.kind[[int(user[1:]) for user in tables.events.user_ids[test.user]]]
    cold = evaluation.ranking.ranks.where((tables.train_counts == 0)[test.relevant.values])
    asked = np.flatnonzero(cold.lengths)
    cold_ndcg = np.full(len(ndcg), np.nan)
    cold_ndcg[asked] = per_query(cold.take(asked), (10,))["ndcg@10"]
    columns = {"everyone": ndcg, "cold items": cold_ndcg}
    for kind in ("visual", "textual"):
        of_kind = kinds == KINDS.index(kind)
        columns[f"{kind} shoppers"] = np.where(of_kind, ndcg, np.nan)
        columns[f"{kind} shoppers, cold items"] = np.where(of_kind, cold_ndcg, np.nan)
    return columns


STUDY = Study(
    shops={"sample shop": sample_shop(**{"item.item_id.initial": "random"})},
    variants={
        "ids": {"item.modalities": ["item_id"]},
        "texts": {"item.modalities": ["text"]},
        "photos": {"item.modalities": ["image"]},
        "all": {"item.modalities": ["image", "text", "item_id"]},
    },
    quick=("texts", "photos", "all"),
    measure=measure,
    seeds=1,
)
