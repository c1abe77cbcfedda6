"""Embeds items and queries in batches, with the current weights of the towers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from mmrec.data.context import QueryContext
from mmrec.data.features import Features, FeatureSource, in_batches
from mmrec.data.ragged import Ragged
from mmrec.index.item_table import ItemTable
from mmrec.traced import traced

_VALUES = 2**24  # values of the histories' items that are read at once: 64 MiB


class Embedder:
    """The inference side of a two-tower model.

    Args:
      candidate_tower: takes features of B items, returns float32 [B, D + R]; its `read_dim` is R, see `ItemTable`.
      query_tower: its `last` takes the items of histories, float32 [B, L, D + R], their lengths and their context, and
        returns queries, float32 [B, D].
      max_length: L, number of items that are read of a history, the most recent ones.
      users: features of users by name, arrays with first dimension U.
    """

    def __init__(
        self, candidate_tower, query_tower, max_length: int, users: Mapping[str, np.ndarray] = MappingProxyType({})
    ):
        self.candidate_tower, self.query_tower = candidate_tower, query_tower
        self._max_length, self.users = max_length, users
        self._candidate: Callable | None = None
        self._query: dict[frozenset[str], Callable] = {}  # by the names of the context inputs

    def item_table(self, source: FeatureSource, items: int) -> ItemTable:
        """Embeds all items.

        Args:
          source: gives the features of rows 1..N.
          items: N, the number of items.

        Returns:
          The table of N + 1 rows; row 0, the padding, is zeros.
        """
        parts = [
            self._embedded(features, source.longest).numpy() for features in in_batches(source, np.arange(1, items + 1))
        ]
        vectors = np.concatenate([np.zeros((1, parts[0].shape[1]), np.float32), *parts])
        return ItemTable.split(vectors, self.candidate_tower.read_dim)

    def queries(
        self,
        table: ItemTable,
        histories: Ragged,
        context: QueryContext | None = None,
        batch: int = 1024,
        values: int = _VALUES,
    ) -> np.ndarray:
        """Embeds queries.

        Args:
          table: the item embeddings.
          histories: Q rows of item rows, oldest first.
          context: the context of the queries; None: they have none.
          batch: largest number of histories at once.
          values: largest number of values of their items at once.

        Returns:
          float32 [Q, D].
        """
        lengths, held = np.minimum(histories.lengths, self._max_length), tf.constant(table.vectors())
        order = np.argsort(lengths, kind="stable")  # histories of similar length are in one batch: little padding
        parts, start = [], 0
        while start < len(order):
            longest = max(1, int(lengths[order[start : start + batch][-1]]))
            places = order[start : start + min(batch, max(1, values // (longest * held.shape[1])))]
            start += len(places)
            context_values = {} if context is None else self._context_values(context.take(places), longest)
            parts.append(self._asked(held, histories.take(places).last(longest), context_values).numpy())
        return np.concatenate(parts)[np.argsort(order)]

    def _embedded(self, features: Features, longest: Collection[str]) -> tf.Tensor:
        """Returns float32 [B, D + R]; traced once, for batches of any size with texts and recordings of any length."""
        if self._candidate is None:
            self._candidate = traced(
                lambda features: self.candidate_tower(features, training=False), [specs(features, longest)]
            )
        return self._candidate(features)

    def _asked(self, table: tf.Tensor, rows: np.ndarray, context_values: Mapping[str, np.ndarray]) -> tf.Tensor:
        """Returns float32 [B, D]; traced once, for histories of any length."""
        if frozenset(context_values) not in self._query:
            spec = {name: _spec(one, 1 if name in self.users else 2) for name, one in context_values.items()}

            def query(table, rows, context):
                length = tf.math.count_nonzero(rows, axis=1, dtype=tf.int32)
                return self.query_tower.last(tf.gather(table, rows), length, context)

            self._query[frozenset(context_values)] = traced(query, [_spec(table, 1), _spec(rows, 2), spec])
        return self._query[frozenset(context_values)](table, rows, dict(context_values))

    def _context_values(self, context: QueryContext, longest: int) -> dict[str, np.ndarray]:
        users = {name: values[context.user] for name, values in self.users.items()}
        return context.inputs(longest) | users


def specs(features: Features, longest: Collection[str]) -> dict[str, tf.TensorSpec]:
    """Returns the specs of features of any batch size, for tracing; `longest` as in `FeatureSource`."""
    return {name: _spec(one, 2 if name in longest else 1) for name, one in features.items()}


def _spec(array: np.ndarray | tf.Tensor, free: int) -> tf.TensorSpec:
    """Returns the spec of an array, for tracing; its first `free` dimensions may have any length."""
    shape = [None if axis < free else length for axis, length in enumerate(array.shape)]
    return tf.TensorSpec(shape, array.dtype)
