"""Ready-made feature vectors as a modality."""

from __future__ import annotations

from mmrec.config import Config
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.shop_tables import Tables
from mmrec.modalities.features.features import VectorFeatures
from mmrec.modalities.features.reader import VectorReader
from mmrec.modalities.features.tower import FeaturesTower
from mmrec.modalities.modality import Modality


class FeaturesModality(Modality):
    """Vectors that came with the catalog."""

    def __init__(self, config: Config, tables: Tables):
        self._item, self._values = config.item, tables.catalog.features
        self.source = VectorFeatures(self._values)

    def tower(self) -> FeaturesTower:
        return FeaturesTower(self._item.features, *self.source.standardisation(), self._item.dim)

    def learnt(self) -> dict[str, bytes]:
        mean, deviation = self.source.standardisation()
        return {"features.npz": arrays_to_bytes(mean=mean, deviation=deviation)}

    def reader(self) -> VectorReader:
        return VectorReader(self._values.shape[1])
