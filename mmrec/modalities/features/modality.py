"""Ready-made feature vectors as a modality."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.config import Config
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.shop_tables import Tables
from mmrec.modalities.catalog_columns import catalog_column, single_field
from mmrec.modalities.features.checks import FeaturesChecks
from mmrec.modalities.features.config import FeaturesConfig
from mmrec.modalities.features.content import VectorContent
from mmrec.modalities.features.features import VectorFeatures
from mmrec.modalities.features.reader import VectorReader
from mmrec.modalities.features.vectors import read_vectors
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import FEATURES

if TYPE_CHECKING:
    from mmrec.modalities.features.tower import FeaturesTower


class FeaturesModality(Modality):
    """Vectors that came with the catalog."""

    name, Settings, checks = FEATURES, FeaturesConfig, FeaturesChecks
    reserved = (FEATURES,)

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        return [catalog_column(config, cls.name)]

    @classmethod
    def read(cls, table: pd.DataFrame, rows: np.ndarray, config: Config, as_written: bool = False) -> VectorContent:
        catalog = config.data.catalog
        return VectorContent(read_vectors(table[catalog.features].iloc[rows], catalog.path, rows))

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> list[schema.Field]:
        return [single_field(config, names, cls.name, FEATURES, schema.VECTOR_KIND)]

    @classmethod
    def quick(cls, config: Config) -> bool:
        return True

    def __init__(self, config: Config, tables: Tables):
        self._item, self._values = config.item, tables.catalog.content[self.name].values
        self.source = VectorFeatures(self._values)

    def tower(self) -> FeaturesTower:
        from mmrec.modalities.features.tower import FeaturesTower

        return FeaturesTower(self._item.features, *self.source.standardisation(), self._item.dim)

    def learnt(self) -> dict[str, bytes]:
        mean, deviation = self.source.standardisation()
        return {"features.npz": arrays_to_bytes(mean=mean, deviation=deviation)}

    def reader(self) -> VectorReader:
        return VectorReader(self._values.shape[1])
