"""Attributes as a modality: categories, numbers and prices."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.features import ArrayFeatures
from mmrec.export.readers import AttributesReader
from mmrec.jobs.modalities.modality import Modality
from mmrec.jobs.tables import Tables
from mmrec.preprocess.attributes import fit_attribute_encoder
from mmrec.towers.attributes import AttributesTower


class AttributesModality(Modality):
    """The attribute columns; categories and scales are learnt on the items with training events."""

    def __init__(self, config: Config, tables: Tables):
        self._item, self._columns = config.item, tables.catalog.attributes
        kinds = config.data.catalog.attributes
        self.encoder = fit_attribute_encoder(kinds, self._columns, tables.train_counts[1:] > 0)
        encoded = self.encoder({column: tf.constant(values.tolist()) for column, values in self._columns.items()})
        self.source = ArrayFeatures({name: values.numpy() for name, values in encoded.items()})
        fields = schema.item_fields((schema.ATTRIBUTES,), config.data.catalog.model_dump())
        self._names = {field.column: field.input for field in fields}

    def tower(self) -> AttributesTower:
        return AttributesTower(self._item.attributes, self.encoder.sizes, self._item.dim)

    def reader(self) -> AttributesReader:
        return AttributesReader(self.encoder, self._names)

    def raw(self, item: int) -> dict[str, str | np.float32]:
        return {name: self._columns[column][item] for column, name in self._names.items()}
