"""Which items have what a query asks for, such as `category=mug`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

_NO_SUCH = -1


class Filters(tf.Module):
    """The values of the filter columns by item, of which an item may have several; 4 bytes for each.

    Args:
      values: per column, objects [N], the tuple of each item's values as str, in row order.
    """

    def __init__(self, values: Mapping[str, np.ndarray]):
        super().__init__(name="filters")
        rows_of: dict[str, list[int]] = {"": []}  # nothing asked
        for column, cells in values.items():
            for row, cell in enumerate(cells, start=1):
                for text in dict.fromkeys(cell):
                    rows_of.setdefault(f"{column}={text}", []).append(row)
        self._items = len(next(iter(values.values())))
        counts = [len(rows) for rows in rows_of.values()]
        rows = [row for of_one in rows_of.values() for row in of_one]
        self.rows = tf.Variable(np.array(rows, np.int32), trainable=False, name="filter_rows")  # [P], by value
        self.starts = tf.Variable(np.cumsum([0, *counts], dtype=np.int32), trainable=False, name="filter_starts")
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([*rows_of]), tf.range(len(rows_of), dtype=tf.int32))
        self.code_of = tf.lookup.StaticHashTable(pairs, default_value=_NO_SUCH)

    def allowed(self, asked: tf.Tensor) -> tf.Tensor:
        """Finds the items that have all that is asked.

        Args:
          asked: string [B, M], "column=value", that one of the item's values is it; "" asks nothing, and what no item
            has is not fulfilled by any.

        Returns:
          bool [B, N + 1], by item row.
        """
        distinct, place = tf.unique(tf.reshape(self.code_of.lookup(asked), [-1]))  # most batches ask few things
        having = self._having(distinct)  # [U, N + 1]
        everything = tf.fill([tf.shape(asked)[0], self._items + 1], True)
        return tf.foldl(
            lambda allowed, one: allowed & tf.gather(having, one),
            tf.transpose(tf.reshape(place, tf.shape(asked))),
            initializer=everything,
        )

    def _having(self, codes: tf.Tensor) -> tf.Tensor:
        """Returns bool [U, N + 1], which items have a value (int32 [U]); of nothing asked, all of them."""
        begin = tf.gather(self.starts, tf.maximum(codes, 0))
        counts = tf.where(codes > 0, tf.gather(self.starts, codes + 1) - begin, 0)
        asked = tf.repeat(tf.range(tf.shape(codes)[0]), counts)  # [V]
        place = tf.range(tf.shape(asked)[0]) + tf.gather(begin - tf.cumsum(counts, exclusive=True), asked)
        found = tf.scatter_nd(
            tf.stack([asked, tf.gather(self.rows, place)], axis=1),
            tf.ones_like(asked, tf.bool),
            [tf.shape(codes)[0], self._items + 1],
        )
        return found | (codes == 0)[:, tf.newaxis]
