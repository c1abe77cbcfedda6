"""The serving functions: raw bytes, texts and string ids in; string ids, scores and embeddings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.export.trained_model import TrainedModel
from mmrec.index.exact import ExactIndex
from mmrec.index.filters import Filters
from mmrec.index.item_table import ItemTable
from mmrec.index.ivf import IvfIndex


@dataclass(frozen=True)
class Parts:
    """What an export is made of.

    Attributes:
      ids: str [N + 1], item id by row; `ids[0]` is "".
      table: item embeddings by row.
      model: embeds items and queries.
      max_length: most recent items of a history that are read.
      default_k: answers of `serving_default`.
      exclude_history: whether the history itself is no answer.
      filters: per column that answers can be restricted by, objects [N], the tuple of an item's values as str.
      index: of the scored values, perhaps rounded; None: exact. Histories read the vectors that it keeps.
    """

    ids: np.ndarray
    table: ItemTable
    model: TrainedModel
    max_length: int
    default_k: int
    exclude_history: bool
    filters: Mapping[str, np.ndarray] = field(default_factory=dict)
    index: ExactIndex | IvfIndex | None = None


class ServingModule(tf.Module):
    """Everything that the serving functions need, in core TensorFlow and tf-text operations.

    Args:
      parts: see `Parts`.
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
        self._parts = lambda: parts  # a function is not tracked

    def signatures(self) -> Mapping[str, tf.types.experimental.ConcreteFunction]:
        """Returns the serving functions by signature name."""
        strings, rows_of_strings = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.string)
        history = {"history": rows_of_strings, **self.model.context_inputs}
        k = tf.TensorSpec([None], tf.int32)
        chosen = {"exclude": rows_of_strings, "include": rows_of_strings}
        if self.filters:
            chosen["filter"] = rows_of_strings
        declared = {
            schema.SERVING_DEFAULT: (self.serving_default, history),
            schema.RECOMMEND: (self.recommend, {**history, "k": k, **chosen}),
            schema.SIMILAR: (self.similar, {"item_id": strings, "k": k}),
            schema.EMBED_QUERY: (self.embed_query, history),
            schema.EMBED_ITEM: (self.embed_item, self.model.item_inputs),
        }
        return {
            name: tf.function(function, autograph=False).get_concrete_function(
                **{key: tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in inputs.items()}
            )
            for name, (function, inputs) in declared.items()
        }

    def serving_default(self, *, history, **context):
        """The default number of answers for each history (string [B, L])."""
        k = tf.fill([tf.shape(history)[0]], self._parts().default_k)
        seen = self.row_of.lookup(history)
        excluded = seen if self._parts().exclude_history else None
        return self._answer(*self.index.search(self._query(seen, context), k, excluded))

    def recommend(self, *, history, k, exclude, include, **context):
        """Items for histories (string [B, L]) without the excluded ids (string [B, E]).

        Where `include` (string [B, F]) holds ids, only these may answer, and only items that have all that `filter`
        (string [B, M], "column=value") asks.
        """
        seen, excluded = self.row_of.lookup(history), self.row_of.lookup(exclude)
        if self._parts().exclude_history:
            excluded = tf.concat([excluded, seen], axis=1)
        included = self.row_of.lookup(include)
        included = tf.where((included == 0) & (include != ""), -1, included)  # not here: not the same as not given
        asked = context.pop("filter", None)
        search = partial(self.index.search, self._query(seen, context), k, excluded, included)
        if not self.filters:
            return self._answer(*search())
        filtered = lambda: search(self.filters.allowed(asked))  # noqa: E731
        return self._answer(*tf.cond(tf.reduce_any(asked != ""), filtered, search))  # no look at all items for nothing

    def similar(self, *, item_id, k):
        """Items near items of the catalog (string [B]); an unknown one has no neighbours."""
        rows = self.row_of.lookup(item_id)
        known = tf.where(rows > 0, k, 0)
        query = self.index.stored.take(rows)
        if self.read is not None:  # what an item reads stands in a query where what is scored of it stands in an item
            read = tf.gather(self.read, rows)
            query = tf.concat([query[:, : query.shape[1] - read.shape[1]], read], axis=1)
        return self._answer(*self.index.search(query, known, rows[:, tf.newaxis]))

    def embed_query(self, *, history, **context):
        """Query embeddings of histories (string [B, L])."""
        return {"embedding": self._query(self.row_of.lookup(history), context)}

    def embed_item(self, **raw):
        """Item embeddings of raw fields, and what was wrong with them.

        Not given means "", for a number NaN, for `features` (float32 [B, F]) a row with any value that is not finite.
        """
        found = self.model.embed(raw)
        return {"embedding": found["vector"][:, : self.model.dim], "status": found["status"]}

    @tf.function(autograph=False, reduce_retracing=True)  # traced once for the signatures that need it
    def _query(self, rows, raw):
        """Item rows (int32 [B, L], 0 anywhere) and the inputs beside a history -> float32 [B, D]."""
        place = _most_recent(rows, self._parts().max_length)
        rows = tf.gather(tf.pad(rows, [[0, 0], [1, 0]]), place, batch_dims=1)
        items = self.index.stored.take(rows)
        if self.read is not None:
            items = tf.concat([items, tf.gather(self.read, rows)], axis=2)
        return self.model.query(items, place, raw)

    def _answer(self, rows, scores):
        return {"item_ids": tf.gather(self.ids, rows), "scores": scores}


def _most_recent(rows: tf.Tensor, longest: int) -> tf.Tensor:
    """Finds the last `longest` rows that are not 0, oldest first; a wide batch is read once and not sorted.

    Args:
      rows: int32 [B, L]; 0 anywhere.

    Returns:
      int32 [B, min(L + 1, longest)], their columns, counted from 1; 0 pads at the end.
    """
    rows = tf.pad(rows, [[0, 0], [1, 0]])  # never empty, so that every tower can run
    width = tf.minimum(tf.shape(rows)[1], longest)
    place = tf.where(rows != 0, tf.range(tf.shape(rows)[1]), 0)  # [B, L + 1], 0 for none
    latest = tf.math.top_k(place, width).values  # [B, width], latest first, then 0
    order = tf.reverse(latest, [1])  # 0 first, then oldest first
    return tf.gather(order, tf.argsort(tf.cast(order == 0, tf.int32), axis=1, stable=True), batch_dims=1)
