"""The item id as a modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mmrec import schema
from mmrec.config import Config
from mmrec.data.factors import truncated_svd
from mmrec.data.item_knn import ItemKNN
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.shop_tables import Tables
from mmrec.data.similarity import mean_cosine
from mmrec.modalities.catalog_columns import single_field
from mmrec.modalities.item_id.config import ItemIdConfig
from mmrec.modalities.item_id.features import ItemIdFeatures
from mmrec.modalities.item_id.reader import ItemIdReader
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import ITEM_ID

if TYPE_CHECKING:
    from mmrec.modalities.item_id.tower import ItemIdTower

_ALIKE = 0.9  # mean cosine of two items from which factors tell them apart no better than a random start


class ItemIdModality(Modality):
    """A learnt vector for every item with training events."""

    name, Settings = ITEM_ID, ItemIdConfig
    reserved = (schema.ID,)

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> list[schema.Field]:
        return [single_field(config, names, cls.name, schema.ID, schema.ID_KIND)]

    @classmethod
    def quick(cls, config: Config) -> bool:
        return True

    def __init__(self, config: Config, tables: Tables):
        self._item, self._ids = config.item, tables.vocabulary.ids
        self.source = ItemIdFeatures(tables.train_counts)
        initial = config.item.item_id.initial
        if initial == "auto":
            raise ValueError("`item.item_id.initial` must be decided: see `jobs.resolve`.")
        self._initial = _neighbour_vectors(config, tables) if initial == "neighbours" else None

    def tower(self) -> ItemIdTower:
        from mmrec.modalities.item_id.tower import ItemIdTower

        return ItemIdTower(int(self.source.table_rows.max()), self._item.dim, self._initial)

    def learnt(self) -> dict[str, bytes]:
        return {"item_id.npz": arrays_to_bytes(table_rows=self.source.table_rows)}

    def reader(self) -> ItemIdReader:
        return ItemIdReader(self._ids, self.source.table_rows)


def _neighbour_vectors(config: Config, tables: Tables) -> np.ndarray | None:
    """Returns float32 [T + 1, D], unit vectors by `item_id_row` whose products are about the items' similarities.

    The similarities are made symmetric, and only directions that count towards them are kept: the factors of others,
    which a similarity of 0 to oneself makes many, would have to be subtracted. None where hardly more than one
    direction is left, as with few items that all stood near each other: these would all get the same vector.
    """
    train, dim = tables.split.train.liked, config.item.dim
    similarity = ItemKNN().fit(train.rows, tables.vocabulary.items, train.time).similarity
    left, values, right = truncated_svd((similarity + similarity.T).tocsr(), 2 * dim, config.seed)
    towards = np.flatnonzero((left * right).sum(axis=0) > 0)[:dim]
    factors = np.zeros((len(right), dim), np.float32)
    factors[:, : len(towards)] = right[:, towards] * np.sqrt(values[towards])
    factors /= np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    factors = factors[np.append(0, np.flatnonzero(tables.train_counts))]
    return None if not factors.any() or mean_cosine(factors[1:]) > _ALIKE else factors
