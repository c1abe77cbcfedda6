"""An example of a loss term of your own, in one file: it predicts whether an item's row is even."""

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.data.examples import OwnPart
from mmrec.models.objectives.objective import Objective

ITEMS = 6  # asked in each step


class Parity(Objective):
    """Binary cross entropy of a head that reads item embeddings, of items that it draws itself."""

    def __init__(self):
        super().__init__(name="parity")
        self.head = layers.Dense(1)

    @classmethod
    def build_for(cls, config, tables, dim):
        return cls()

    def examples(self, config, tables):
        return Drawn(tables.vocabulary.items)

    def loss(self, model, batch, items, training):
        logits = self.head(tf.gather(items.embedding, batch["parity_place"]))[:, 0]
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(batch["parity_even"], logits))


class Drawn:
    """Items drawn uniformly from the whole catalog."""

    def __init__(self, items):
        self._items = items

    def epoch(self, rng, steps):
        for _ in range(steps):
            rows = rng.integers(1, self._items + 1, ITEMS)
            even = (rows % 2 == 0).astype(np.float32)
            yield OwnPart(rows, lambda place, rows=rows, even=even: {"parity_place": place(rows), "parity_even": even})
