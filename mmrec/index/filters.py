"""Finds the items that match a request's filters, such as `category=mug`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

_NO_SUCH = -1


class Filters(tf.Module):
    """The values of the filter columns by item, 4 bytes per value; an item may have several.

    The first value of an item is in a table by row, which is fast to compare; further values are in a list by value.

    Args:
      values: by column, objects [N] in row order: a tuple of each item's values as str.
    """

    def __init__(self, values: Mapping[str, np.ndarray]):
        super().__init__(name="filters")
        first = np.zeros([len(values), len(next(iter(values.values()))) + 1], np.int32)
        codes, columns, others = {"": 0}, [0], [[]]  # code 0: no filter, or no value
        for place, (column, cells) in enumerate(values.items()):
            for row, cell in enumerate(cells, start=1):
                for text in dict.fromkeys(cell):
                    code = codes.setdefault(f"{column}={text}", len(columns))
                    if code == len(columns):
                        columns.append(place)
                        others.append([])
                    if first[place, row]:
                        others[code].append(row)
                    else:
                        first[place, row] = code
        self.first = _constant(first, "filter_codes")  # [columns, N + 1]
        self.column_of = _constant(columns, "filter_columns")  # by code
        self.starts = _constant(np.cumsum([0, *map(len, others)]), "filter_starts")  # by code, of `others`
        self.others = _constant([row for rows in others for row in rows], "filter_rows")
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([*codes]), tf.range(len(codes), dtype=tf.int32))
        self.code_of = tf.lookup.StaticHashTable(pairs, default_value=_NO_SUCH)

    def allowed(self, asked: tf.Tensor) -> tf.Tensor:
        """Finds the items that match all filters of a query.

        Args:
          asked: string [B, M], "column=value": one of the item's values in the column is this one. "" matches every
            item; a value that no item has matches none.

        Returns:
          bool [B, N + 1], by item row.
        """
        distinct, place = tf.unique(tf.reshape(self.code_of.lookup(asked), [-1]))  # most batches ask for few values
        having = self._having(distinct)  # [U, N + 1]
        everything = tf.fill([tf.shape(asked)[0], self.first.shape[1]], True)
        return tf.foldl(
            lambda allowed, one: allowed & tf.gather(having, one),
            tf.transpose(tf.reshape(place, tf.shape(asked))),
            initializer=everything,
        )

    def _having(self, codes: tf.Tensor) -> tf.Tensor:
        """Returns bool [U, N + 1], the items that have each value (`codes` int32 [U]); code 0 matches all items."""
        present = tf.maximum(codes, 0)
        having = tf.gather(self.first, tf.gather(self.column_of, present)) == codes[:, tf.newaxis]
        having |= (codes == 0)[:, tf.newaxis]
        if not self.others.shape[0]:
            return having
        begin = tf.gather(self.starts, present)
        counts = tf.gather(self.starts, present + 1) - begin  # unknown values read code 0: no further rows
        asked = tf.repeat(tf.range(tf.shape(codes)[0]), counts)  # [V]
        place = tf.range(tf.shape(asked)[0]) + tf.gather(begin - tf.cumsum(counts, exclusive=True), asked)
        rows = tf.stack([asked, tf.gather(self.others, place)], axis=1)
        return having | tf.scatter_nd(rows, tf.ones_like(asked, tf.bool), tf.shape(having))


def _constant(values, name: str) -> tf.Variable:
    return tf.Variable(np.array(values, np.int32), trainable=False, name=name)
