"""Reads attributes of items or users inside an export."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from mmrec.modalities.reader import STRINGS, Raw, Read
from mmrec.preprocess.attributes import AttributeEncoder


class AttributesReader:
    """Encodes categories ("" is missing) and numbers (not finite is missing).

    Args:
      encoder: raw attributes -> features.
      names: input name by column.
    """

    def __init__(self, encoder: AttributeEncoder, names: Mapping[str, str]):
        self.inputs = {
            name: STRINGS if encoder.kinds[column] == "category" else tf.TensorSpec([None], tf.float32)
            for column, name in names.items()
        }
        self.resources = list(encoder.tables.values())
        self._encoder, self._names = encoder, names

    def __call__(self, raw: Raw) -> Read:
        features = self._encoder({column: raw[name] for column, name in self._names.items()})
        return Read(features, tf.reduce_any(features["attributes_known"], axis=1))
