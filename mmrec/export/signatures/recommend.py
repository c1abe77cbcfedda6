"""The signature `recommend`: answers histories with `k` items, with exclusions, inclusions and filters."""

from __future__ import annotations

from functools import partial

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.export.signatures.signature import INTEGERS, LISTS_OF_STRINGS, Signature


class Recommend(Signature):
    """Answers histories (string [B, L]) with the `k` (int32 [B]) best items, except `exclude` (string [B, E]).

    Where `include` (string [B, F]) holds ids, only these are answered. Items must fulfil all conditions of `filter`
    (string [B, M], "column=value").
    """

    name = schema.RECOMMEND
    client_call = 'shop.recommend([["id1", "id2"]], k=10)'

    def inputs(self):
        chosen = dict.fromkeys(["exclude", "include", *(["filter"] if self.serving.filters else [])], LISTS_OF_STRINGS)
        return {"history": LISTS_OF_STRINGS, **self.serving.model.context_inputs, "k": INTEGERS, **chosen}

    def __call__(self, *, history, k, exclude, include, **context):
        serving = self.serving
        seen, excluded = serving.row_of.lookup(history), serving.row_of.lookup(exclude)
        if serving.parts.exclude_history:
            excluded = tf.concat([excluded, seen], axis=1)
        included = serving.row_of.lookup(include)
        included = tf.where((included == 0) & (include != ""), -1, included)  # an unknown id is not an empty one
        asked = context.pop("filter", None)
        search = partial(serving.index.search, serving.query(seen, context), k, excluded, included)
        if not serving.filters:
            return serving.answer(*search())
        filtered = lambda: search(serving.filters.allowed(asked))  # noqa: E731, reads all items: only when needed
        return serving.answer(*tf.cond(tf.reduce_any(asked != ""), filtered, search))

    def example(self, sample):
        asked = {"exclude": sample.history[:, :1], "include": np.array([[""]], object)}
        if self.serving.filters:
            asked["filter"] = np.array([[self._condition()]], object)
        return {"history": sample.history, **sample.context, "k": np.array([10], np.int32), **asked}

    def _condition(self) -> str:
        """Returns a condition "column=value" on the first filter column that some item fulfils; "" if there is none."""
        column, cells = next(iter(self.serving.parts.filters.items()))
        return next((f"{column}={value}" for values in cells for value in values if value), "")
