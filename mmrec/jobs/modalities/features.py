"""Ready-made feature vectors as a modality."""

from __future__ import annotations

from mmrec.config import Config
from mmrec.data.features import VectorFeatures
from mmrec.export.readers import VectorReader
from mmrec.jobs.modalities.modality import Modality
from mmrec.jobs.tables import Tables
from mmrec.towers.features import FeaturesTower


class FeaturesModality(Modality):
    """Vectors that came with the catalog."""

    def __init__(self, config: Config, tables: Tables):
        self._item, self._values = config.item, tables.catalog.features
        self.source = VectorFeatures(self._values)

    def tower(self) -> FeaturesTower:
        return FeaturesTower(self._item.features, *self.source.standardisation(), self._item.dim)

    def reader(self) -> VectorReader:
        return VectorReader(self._values.shape[1])
