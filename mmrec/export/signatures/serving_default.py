"""The signature `serving_default`: answers histories with the configured number of items."""

from __future__ import annotations

import tensorflow as tf

from mmrec import schema
from mmrec.export.signatures.signature import LISTS_OF_STRINGS, Signature


class ServingDefault(Signature):
    """Answers histories (string [B, L]) with the `export.k` best items."""

    name = schema.SERVING_DEFAULT

    def inputs(self):
        return {"history": LISTS_OF_STRINGS, **self.serving.model.context_inputs}

    def __call__(self, *, history, **context):
        parts, seen = self.serving.parts, self.serving.row_of.lookup(history)
        k = tf.fill([tf.shape(history)[0]], parts.default_k)
        query, excluded = self.serving.query(seen, context), seen if parts.exclude_history else None
        return self.serving.answer(*self.serving.index.search(query, k, excluded))

    def example(self, sample):
        return {"history": sample.history, **sample.context}
