"""Encodes attributes: categories as table rows, numbers on one scale, fitted on training items."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mmrec.preprocess import names
from mmrec.values import plain

OTHER = 1
"""Row of categories that no training item has; row 0 is "not given"."""


class AttributeEncoder:
    """Turns the attributes of items into features.

    Args:
      kinds: `category`, `number` or `price` by column, in the order of the features.
      categories: known values by category column in their `values.plain` form, in row order from 2 on.
      scales: mean and standard deviation by column of numbers, prices as log(1 + price).

    Attributes:
      tables: value -> row, by category column.
    """

    def __init__(
        self, kinds: Mapping[str, str], categories: Mapping[str, list[str]], scales: Mapping[str, tuple[float, float]]
    ):
        self.kinds, self.categories, self.scales = dict(kinds), dict(categories), dict(scales)
        self.tables = {
            column: tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(["", *values]), tf.constant([0, *range(2, len(values) + 2)], tf.int32)
                ),
                default_value=OTHER,
            )
            for column, values in self.categories.items()
        }

    def to_bytes(self) -> bytes:
        """Returns a JSON file of what was learnt."""
        learnt = {"kinds": self.kinds, "categories": self.categories, "scales": self.scales}
        return json.dumps(learnt, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> AttributeEncoder:
        """Returns the encoder that `to_bytes` wrote."""
        learnt = json.loads(content)
        scales = {column: tuple(scale) for column, scale in learnt["scales"].items()}
        return cls(learnt["kinds"], learnt["categories"], scales)

    @property
    def sizes(self) -> list[int]:
        """Rows that each category column's table needs."""
        return [len(values) + 2 for values in self.categories.values()]

    def __call__(self, columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Encodes the attributes of items.

        Args:
          columns: by column, string [B] ("" is missing) for categories, float32 [B] (not finite is missing) for
            numbers. Prices below 0 are missing.

        Returns:
          `attributes_category` int32 [B, C], `attributes_number` float32 [B, N], in standard deviations, at most 5;
          `attributes_known` bool [B, C + N].
        """
        rows, numbers, presence = [], [], []
        for column, table in self.tables.items():
            rows.append(table.lookup(names.plain(columns[column])))
            presence.append(rows[-1] > 0)
        for column, (mean, deviation) in self.scales.items():
            value, price = columns[column], self.kinds[column] == "price"
            present = tf.math.is_finite(value) & ((value >= 0.0) | (not price))
            value = tf.where(present, value, 0.0)
            scaled = ((tf.math.log1p(value) if price else value) - mean) / deviation
            numbers.append(tf.where(present, tf.clip_by_value(scaled, -5.0, 5.0), 0.0))
            presence.append(present)
        none = tf.zeros([tf.shape(presence[0])[0], 0])
        return {
            "attributes_category": tf.stack(rows, axis=1) if rows else tf.cast(none, tf.int32),
            "attributes_number": tf.stack(numbers, axis=1) if numbers else none,
            "attributes_known": tf.stack(presence, axis=1),
        }


def fit_attribute_encoder(
    kinds: Mapping[str, str], columns: Mapping[str, np.ndarray], trained: np.ndarray
) -> AttributeEncoder:
    """Learns categories and scales.

    Args:
      kinds: `category`, `number` or `price` by column.
      columns: str objects [N] or float32 [N] by column, as `AttributeEncoder` takes them.
      trained: bool [N], the items to learn from. If there are none, all items are used.

    Returns:
      The fitted encoder.
    """
    if not trained.any():
        trained = np.ones_like(trained)
    categories, scales = {}, {}
    for column, kind in kinds.items():
        values = columns[column][trained]
        if kind == "category":
            counts = Counter(filter(None, map(plain, values)))
            categories[column] = sorted(counts, key=lambda value: (-counts[value], value))
            continue
        values = values[np.isfinite(values)].astype(np.float64)
        values = np.log1p(values) if kind == "price" else values
        deviation = float(values.std()) if len(values) else 0.0
        scales[column] = (float(values.mean()) if len(values) else 0.0, deviation if deviation > 1e-6 else 1.0)
    return AttributeEncoder(kinds, categories, scales)
