"""An example of a signature of your own, in one file: the best answers that cost no more than a limit.

It needs the filter column `price`, and joins by `export.signatures: [tests.toys.cheapest:Cheapest]`.
"""

import numpy as np
import tensorflow as tf

from mmrec.export.signatures.signature import INTEGERS, LISTS_OF_STRINGS, Signature


class Cheapest(Signature):
    """Answers histories (string [B, L]) with items whose price is at most `limit` (float32 [B])."""

    name = "cheapest"
    client_call = 'shop.call("cheapest", {"history": [["id1"]], "k": [10], "limit": [9.99]})'

    def __init__(self, serving):
        super().__init__(serving)
        self.prices = None
        if "price" in serving.parts.filters:
            prices = [min(map(float, cell), default=np.inf) for cell in serving.parts.filters["price"]]
            self.prices = serving.keep(tf.Variable([np.inf, *prices], trainable=False, name="prices"))  # [N + 1]

    def inputs(self):
        if self.prices is None:
            return None
        limit = {"limit": tf.TensorSpec([None], tf.float32)}
        return {"history": LISTS_OF_STRINGS, **self.serving.model.context_inputs, "k": INTEGERS, **limit}

    def __call__(self, *, history, k, limit, **context):
        seen = self.serving.row_of.lookup(history)
        allowed = self.prices <= limit[:, tf.newaxis]  # [B, N + 1]
        query = self.serving.query(seen, context)
        return self.serving.answer(*self.serving.index.search(query, k, exclude=seen, allowed=allowed))

    def example(self, sample):
        asked = {"k": np.array([10], np.int32), "limit": np.array([20], np.float32)}
        return {"history": sample.history, **sample.context, **asked}
