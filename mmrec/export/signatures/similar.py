"""The signature `similar`: finds items near items of the catalog."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.export.signatures.signature import INTEGERS, STRINGS, Signature


class Similar(Signature):
    """Answers items (string [B]) with the `k` (int32 [B]) nearest other items; an unknown item gets no answers."""

    name = schema.SIMILAR
    client_call = 'shop.similar(["id1"], k=10)'

    def inputs(self):
        return {schema.ID: STRINGS, "k": INTEGERS}

    def __call__(self, *, item_id, k):
        rows = self.serving.row_of.lookup(item_id)
        query, wanted = self.serving.item_query(rows), tf.where(rows > 0, k, 0)
        return self.serving.answer(*self.serving.index.search(query, wanted, rows[:, tf.newaxis]))

    def example(self, sample):
        return {schema.ID: sample.history[:, 0], "k": np.array([10], np.int32)}
