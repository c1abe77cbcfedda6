"""The item id as a modality."""

from __future__ import annotations

from mmrec import schema
from mmrec.config import Config
from mmrec.data.features import ItemIdFeatures
from mmrec.export.readers import ItemIdReader
from mmrec.jobs.modalities.modality import Modality
from mmrec.jobs.tables import Tables
from mmrec.towers.item_id import ItemIdTower


class ItemIdModality(Modality):
    """A learnt vector for every item with training events."""

    def __init__(self, config: Config, tables: Tables):
        self._item, self._ids = config.item, tables.vocabulary.ids
        self.source = ItemIdFeatures(tables.train_counts)

    def tower(self) -> ItemIdTower:
        return ItemIdTower(int(self.source.table_rows.max()), self._item.dim)

    def reader(self) -> ItemIdReader:
        return ItemIdReader(self._ids, self.source.table_rows)

    def raw(self, item: int) -> dict[str, str]:
        return {schema.ITEM_ID: self._ids[item + 1]}
