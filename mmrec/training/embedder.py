"""Embeds a catalog and queries with the towers as they are, in batches."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from mmrec.data.context import QueryContext
from mmrec.data.features import FeatureSource, in_batches
from mmrec.data.ragged import Ragged


class Embedder:
    """The inference side of a two-tower model.

    Args:
      candidate_tower: features of items -> float32 [B, X].
      query_tower: float32 [B, L, X] and context -> float32 [B, L + 1, D], compared with the first D values of an item.
      max_length: L, the most recent items of a history that are read.
      users: what is known of users, by name and user; first dimension U.
    """

    def __init__(
        self, candidate_tower, query_tower, max_length: int, users: Mapping[str, np.ndarray] = MappingProxyType({})
    ):
        self.candidate_tower, self.query_tower = candidate_tower, query_tower
        self._max_length, self.users = max_length, users
        self._candidate = tf.function(lambda features: candidate_tower(features, training=False), reduce_retracing=True)

        @tf.function(reduce_retracing=True)
        def query(table, rows, context):
            embeddings = query_tower(tf.gather(table, rows), context, training=False)  # [B, L + 1, D]
            return tf.gather(embeddings, tf.math.count_nonzero(rows, axis=1), batch_dims=1)  # [B, D]

        self._query = query

    def item_table(self, source: FeatureSource, items: int) -> np.ndarray:
        """Returns float32 [N + 1, X], the embedding of each item row; row 0 is zeros."""
        parts = [self._candidate(features).numpy() for features in in_batches(source, np.arange(1, items + 1))]
        return np.concatenate([np.zeros((1, parts[0].shape[1]), np.float32), *parts])

    def queries(
        self, table: np.ndarray, histories: Ragged, context: QueryContext | None = None, batch: int = 1024
    ) -> np.ndarray:
        """Returns float32 [Q, D], the query embedding of each history; `context` is theirs, None: unknown."""
        lengths, held = np.minimum(histories.lengths, self._max_length), tf.constant(table)
        order = np.argsort(lengths, kind="stable")  # histories of like length stand together: little padding is read
        parts = []
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            longest = max(1, int(lengths[places[-1]]))
            known = {} if context is None else self._known(context.take(places), longest)
            parts.append(self._query(held, histories.take(places).last(longest), known).numpy())
        return np.concatenate(parts)[np.argsort(order)]

    def _known(self, context: QueryContext, longest: int) -> dict[str, np.ndarray]:
        users = {name: known[context.user] for name, known in self.users.items()}
        return context.inputs(longest) | users
