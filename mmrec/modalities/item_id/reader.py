"""Turns item ids into rows of the id table inside an export."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec.modalities.reader import STRINGS, Raw, Read


class ItemIdReader:
    """Looks up item ids; "" stands for an item that the export does not know.

    Args:
      ids: str objects [N + 1], item id by row.
      table_rows: int32 [N + 1], row of each item in the id table; 0 for those without training events.
    """

    def __init__(self, ids: np.ndarray, table_rows: np.ndarray):
        trained = np.flatnonzero(table_rows)
        keys = tf.lookup.KeyValueTensorInitializer(
            tf.constant(ids[trained].tolist(), tf.string), tf.constant(table_rows[trained], tf.int32)
        )
        self._table = tf.lookup.StaticHashTable(keys, default_value=0)
        self.inputs, self.resources = {"item_id": STRINGS}, [self._table]

    def __call__(self, raw: Raw) -> Read:
        rows = self._table.lookup(raw["item_id"])
        return Read({"item_id_row": rows}, rows > 0)
