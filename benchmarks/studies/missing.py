"""What is left when photos or texts vanish at serving, with and without modality dropout in training?

On the small sample shop, with models that read photos, texts, attributes and ids, trained with three shares of
`item.modality_dropout`. Photos, or texts, are then taken from 25 to 100% of the items (drawn at random; who lacks it at
25% lacks it at 50% too), the whole catalog is embedded again, and validation is ranked: NDCG@10.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks.studies.base import Study, judged, sample_shop
from benchmarks.studies.fusion import SAMPLE, SHORT
from mmrec.after_training.fitted import Fitted
from mmrec.data.features import FeatureSource, JoinedFeatures
from mmrec.data.shop_tables import Tables

SHARES, VANISHING = (25, 50, 75, 100), ("image", "text")


class Hidden(FeatureSource):
    """A feature source without the features of some items (bool [N + 1]): they read those of row 0, which has none."""

    def __init__(self, source: FeatureSource, items: np.ndarray):
        self._source, self._items, self.longest = source, items, source.longest

    def rows(self, rows, draw=None):
        return self._source.rows(np.where(self._items[rows], 0, rows), draw)


def measure(fitted: Fitted, tables: Tables) -> dict[str, np.ndarray]:
    """Returns NDCG@10 of each validation query, by what is missing."""
    values = {"nothing missing": judged(fitted, tables.split.validation).per_query["ndcg@10"]}
    place = np.random.default_rng(0).permutation(fitted.items)
    for modality in VANISHING:
        for share in SHARES:
            lacking = np.append(False, place < fitted.items * share / 100)
            sources = dict(fitted.prepared.features.sources)
            sources[modality] = Hidden(sources[modality], lacking)
            prepared = dataclasses.replace(fitted.prepared, features=JoinedFeatures(sources))
            one = dataclasses.replace(fitted, prepared=prepared)
            values[f"{modality} -{share}%"] = judged(one, tables.split.validation).per_query["ndcg@10"]
    return values


STUDY = Study(
    shops={"sample shop": sample_shop(**SHORT, **SAMPLE)},
    variants={
        "dropout 0": {},
        "dropout .15": {"item.modality_dropout": 0.15},
        "dropout .3": {"item.modality_dropout": 0.3},
    },
    quick=("dropout .3",),
    measure=measure,
)
