"""Turns a column such as "rose:0.7 musk:0.2" into vectors, with its tower and its reader in the export."""

from typing import Annotated

import numpy as np
import tensorflow as tf
from pydantic import Field
from tf_keras import layers

from mmrec import schema
from mmrec.config.section import DataPath, Fraction, Section
from mmrec.data.content import ColumnContent
from mmrec.data.features import ArrayFeatures
from mmrec.data.tables import rows_text, text_strings
from mmrec.errors import InputError
from mmrec.modalities.modality import Modality
from mmrec.modalities.reader import STRINGS, Read
from tests.toys.smell.notes import parse, parse_in_graph


class SmellConfig(Section):
    """The settings under `item.custom.smell`."""

    column: str = "smell"
    """Column of the catalog."""
    notes: Annotated[tuple[str, ...], Field(min_length=1)] = ("rose", "musk", "oak")
    """Notes that the tower knows."""
    legend: DataPath | None = None
    """Text file about the notes, which belongs to the identity of a run. Null: there is none."""
    dropout: Fraction = 0.1
    """Share of the notes dropped in training."""


class SmellTower(layers.Layer):
    """Projects the strengths of notes."""

    def __init__(self, config, dim):
        super().__init__(name="smell_tower")
        self.dropout, self.projection = layers.Dropout(config.dropout), layers.Dense(dim)

    def call(self, features, training=False):
        """Encodes `smell_notes` float32 [B, F] and `smell_present` bool [B] to float32 [B, D], and bool [B]."""
        return self.projection(self.dropout(features["smell_notes"], training=training)), features["smell_present"]


class SmellReader:
    """Reads the texts of smells.

    Args:
      name: of the input.
      notes: that count.
    """

    resources = ()

    def __init__(self, name, notes):
        self.inputs, self._name, self._notes = {name: STRINGS}, name, notes

    def __call__(self, raw):
        values = parse_in_graph(raw[self._name], self._notes)
        present = tf.reduce_any(values > 0, axis=1)
        return Read({"smell_notes": values, "smell_present": present}, present)


class Smell(Modality):
    """The smell of items, written by hand."""

    name, Settings = "smell", SmellConfig

    @classmethod
    def columns(cls, config):
        return [cls.settings(config).column]

    @classmethod
    def read(cls, table, rows, config, as_written=False):
        settings, path = cls.settings(config), config.data.catalog.path
        texts = text_strings(table, settings.column, path)[rows]
        for place in np.argsort(rows):
            try:
                parse(texts[place], settings.notes)
            except ValueError as error:
                where = rows_text(path, rows[place : place + 1], settings.column)
                raise InputError(f"{where}: {error}. Correct it, or leave it empty.") from None
        return ColumnContent({settings.column: texts})

    @classmethod
    def fields(cls, config, names, free):
        return [schema.Field(cls.settings(config).column, cls.name, free(cls.name), schema.TEXT_KIND)]

    @classmethod
    def identity_files(cls, config):
        legend = cls.settings(config).legend
        return [legend] if legend else []

    @classmethod
    def quick(cls, config):
        return True

    @classmethod
    def notes(cls, config):
        return [f"Smells are read by their notes: {', '.join(cls.settings(config).notes)}."]

    def __init__(self, config, tables):
        self._dim, self._settings = config.item.dim, self.settings(config)
        texts = tables.catalog.content[self.name].columns[self._settings.column]
        values = np.stack([parse(text, self._settings.notes) for text in texts])
        self.source = ArrayFeatures({"smell_notes": values, "smell_present": (values > 0).any(axis=1)})

    def tower(self):
        return SmellTower(self._settings, self._dim)

    def reader(self):
        return SmellReader(self.name, self._settings.notes)
