"""Attributes as a modality: categories, numbers and prices."""

from __future__ import annotations

import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.features import ArrayFeatures
from mmrec.data.shop_tables import Tables
from mmrec.modalities.attributes.reader import AttributesReader
from mmrec.modalities.attributes.tower import AttributesTower
from mmrec.modalities.modality import Modality
from mmrec.preprocess.attributes import fit_attribute_encoder


class AttributesModality(Modality):
    """The attribute columns; categories and scales are learnt on the items with training events."""

    def __init__(self, config: Config, tables: Tables):
        self._item, columns = config.item, tables.catalog.attributes
        kinds = config.data.catalog.attributes
        self.encoder = fit_attribute_encoder(kinds, columns, tables.train_counts[1:] > 0)
        encoded = self.encoder({column: tf.constant(values.tolist()) for column, values in columns.items()})
        self.source = ArrayFeatures({name: values.numpy() for name, values in encoded.items()})
        fields = schema.item_fields(config.item.modalities, config.data.catalog.model_dump())
        self._names = {field.column: field.input for field in fields if field.modality == schema.ATTRIBUTES}

    def tower(self) -> AttributesTower:
        return AttributesTower(self._item.attributes, self.encoder.sizes, self._item.dim)

    def learnt(self) -> dict[str, bytes]:
        return {"attributes.json": self.encoder.to_bytes()}

    def reader(self) -> AttributesReader:
        return AttributesReader(self.encoder, self._names)
