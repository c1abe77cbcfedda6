"""The module that an export saves: the items, their index and filters, and the model, shared by all signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import tensorflow as tf

from mmrec.export.trained_model import TrainedModel
from mmrec.index.exact import ExactIndex
from mmrec.index.filters import Filters
from mmrec.index.item_table import ItemTable
from mmrec.index.ivf import IvfIndex

Resource = TypeVar("Resource")


@dataclass(frozen=True)
class Parts:
    """What an export is made of.

    Attributes:
      ids: str [N + 1], item id by row; `ids[0]` is "".
      table: item embeddings by row.
      model: embeds items and queries.
      max_length: how many of the most recent items of a history are read.
      default_k: number of answers of `serving_default`.
      exclude_history: whether items of the history are never answered.
      filters: by filter column, objects [N], the tuple of an item's values as str.
      index: index of the scored values, which may be rounded; None: exact. Histories read the vectors that it stores.
      signatures: import paths of signatures beside those of mmrec, see `export.signatures.names.find_signatures`.
    """

    ids: np.ndarray
    table: ItemTable
    model: TrainedModel
    max_length: int
    default_k: int
    exclude_history: bool
    filters: Mapping[str, np.ndarray] = field(default_factory=dict)
    index: ExactIndex | IvfIndex | None = None
    signatures: Sequence[str] = ()


class ServingModule(tf.Module):
    """Everything that the serving functions need, in core TensorFlow and tf-text operations.

    Args:
      parts: see `Parts`.

    Attributes:
      index: ranks items for queries.
      row_of: item id -> item row; 0 for an id that the export lacks.
      filters: finds the items that fulfil conditions; None: there are no filter columns.
      model: embeds items and queries.
    """

    def __init__(self, parts: Parts):
        super().__init__(name="mmrec")
        self.index = parts.index or ExactIndex(parts.table.scored)
        read = parts.table.read  # [N + 1, R]
        self.read = tf.Variable(read, trainable=False, name="item_read") if read.shape[1] else None
        self.ids = tf.Variable(parts.ids.tolist(), trainable=False, name="item_ids")
        keys = tf.lookup.KeyValueTensorInitializer(
            tf.constant(parts.ids[1:].tolist()), tf.range(1, len(parts.ids), dtype=tf.int32)
        )
        self.row_of = tf.lookup.StaticHashTable(keys, default_value=0)
        self.filters = Filters(parts.filters) if parts.filters else None
        self.model = parts.model
        self.kept: list = []
        self._parts = lambda: parts  # a function is not tracked

    @property
    def parts(self) -> Parts:
        """What the export is made of."""
        return self._parts()

    def keep(self, resource: Resource) -> Resource:
        """Saves a variable or table with the export; returns it. A signature keeps what its function uses."""
        self.kept.append(resource)
        return resource

    @tf.function(autograph=False, reduce_retracing=True)  # traced once for the signatures that need it
    def query(self, rows, context):
        """Embeds histories.

        Args:
          rows: int32 [B, L], item rows, oldest first; 0 anywhere.
          context: the raw inputs beside the history, by name.

        Returns:
          float32 [B, D].
        """
        place = _most_recent(rows, self.parts.max_length)
        rows = tf.gather(tf.pad(rows, [[0, 0], [1, 0]]), place, batch_dims=1)
        items = self.index.stored.take(rows)
        if self.read is not None:
            items = tf.concat([items, tf.gather(self.read, rows)], axis=2)
        return self.model.query(items, place, context)

    def item_query(self, rows):
        """Returns the vectors of items (int32 [B]) as queries, float32 [B, D]; see `ItemTable.read`."""
        query = self.index.stored.take(rows)
        if self.read is not None:
            read = tf.gather(self.read, rows)
            query = tf.concat([query[:, : self.model.dim - read.shape[1]], read], axis=1)
        return query

    def answer(self, rows, scores):
        """Returns the outputs of a signature that answers with items.

        Args:
          rows: int32 [B, K], item rows, best first; 0 pads.
          scores: float32 [B, K].

        Returns:
          `item_ids`, string [B, K], and `scores`.
        """
        return {"item_ids": tf.gather(self.ids, rows), "scores": scores}


def _most_recent(rows: tf.Tensor, longest: int) -> tf.Tensor:
    """Finds the last `longest` rows that are not 0, oldest first, without sorting the whole width.

    Args:
      rows: int32 [B, L]; 0 anywhere.
      longest: how many are wanted at most, at least 1.

    Returns:
      int32 [B, min(L + 1, longest)], their columns, counted from 1; 0 pads at the end.
    """
    rows = tf.pad(rows, [[0, 0], [1, 0]])  # never empty, so that every tower can run
    width = tf.minimum(tf.shape(rows)[1], longest)
    place = tf.where(rows != 0, tf.range(tf.shape(rows)[1]), 0)  # [B, L + 1], 0 for none
    latest = tf.math.top_k(place, width).values  # [B, width], latest first, then 0
    order = tf.reverse(latest, [1])  # 0 first, then oldest first
    return tf.gather(order, tf.argsort(tf.cast(order == 0, tf.int32), axis=1, stable=True), batch_dims=1)
