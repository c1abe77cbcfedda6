"""Attributes as a modality: categories, numbers and prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.attributes import read_attributes
from mmrec.data.content import ColumnContent
from mmrec.data.features import ArrayFeatures
from mmrec.data.shop_tables import Tables
from mmrec.modalities.attributes.checks import AttributesChecks
from mmrec.modalities.attributes.config import AttributesConfig
from mmrec.modalities.attributes.reader import AttributesReader
from mmrec.modalities.catalog_columns import catalog_column, column_field
from mmrec.modalities.fields import item_fields
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import ATTRIBUTES
from mmrec.preprocess.attributes import fit_attribute_encoder

if TYPE_CHECKING:
    from mmrec.modalities.attributes.tower import AttributesTower


class AttributesModality(Modality):
    """The attribute columns; categories and scales are learnt on the items with training events."""

    name, Settings, checks = ATTRIBUTES, AttributesConfig, AttributesChecks

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        return [*catalog_column(config, cls.name)]

    @classmethod
    def read(cls, table: pd.DataFrame, rows: np.ndarray, config: Config, as_written: bool = False) -> ColumnContent:
        values, masked = read_attributes(table.iloc[rows], config.data.catalog, rows, as_written=as_written)
        return ColumnContent(values, {"attribute_masked": masked} if masked else {})

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> Iterator[schema.Field]:
        pairs = zip(config.data.catalog.attributes, names[cls.name].items(), strict=True)
        for column, (trained, kind) in pairs:
            kind = schema.CATEGORY_KIND if kind == "category" else schema.NUMBER_KIND
            yield column_field(column, trained, cls.name, free(trained), kind)

    @classmethod
    def quick(cls, config: Config) -> bool:
        return True

    def __init__(self, config: Config, tables: Tables):
        self._item, columns = config.item, tables.catalog.content[self.name].columns
        kinds = config.data.catalog.attributes
        self.encoder = fit_attribute_encoder(kinds, columns, tables.train_counts[1:] > 0)
        encoded = self.encoder({column: tf.constant(values.tolist()) for column, values in columns.items()})
        self.source = ArrayFeatures({name: values.numpy() for name, values in encoded.items()})
        self._names = {field.column: field.input for field in item_fields(config) if field.modality == self.name}

    def tower(self) -> AttributesTower:
        from mmrec.modalities.attributes.tower import AttributesTower

        return AttributesTower(self._item.attributes, self.encoder.sizes, self._item.dim)

    def learnt(self) -> dict[str, bytes]:
        return {"attributes.json": self.encoder.to_bytes()}

    def reader(self) -> AttributesReader:
        return AttributesReader(self.encoder, self._names)
