"""What the sequential example of keras-rs leads to: a GRU over recent items, in-batch softmax, its retrieval layer.

keras-rs is Keras 3, mmrec Keras 2: the model is trained in a process of its own, which enters this module by `train`
and never imports mmrec.
"""

from __future__ import annotations

import os
import time

import numpy as np

from benchmarks.peers.measured import Measured, in_child
from benchmarks.scale import Stages

CONTEXT, DIM, BATCH, EPOCHS = 10, 32, 4096, 5


def gru(problem) -> Measured:
    """Trains in a process without mmrec, judges the embeddings in this one."""
    from mmrec.evaluation.ranking import embedding_scorer

    epochs, examples = 1 if problem.quick else EPOCHS, problem.examples(CONTEXT)
    contexts = {name: queries.history.last(CONTEXT) for name, queries in problem.parts.items()}
    figures, table, queries, rate = in_child(__name__, train.__name__, *examples, problem.items, epochs, contexts)
    return Measured(
        figures["seconds"],
        figures["peak_bytes"],
        problem.judge_scorers({name: embedding_scorer(query, table) for name, query in queries.items()}),
        targets=epochs * len(examples[1]),
        epochs=epochs,
        rows={"rate/top 10 by its retrieval layer, nothing excluded": (rate, "queries/s")},
    )


def train(context: np.ndarray, answer: np.ndarray, items: int, epochs: int, asked: dict[str, np.ndarray]) -> tuple:
    """Trains, and answers.

    Args:
      context: int32 [E, L], item rows, padded with 0 at the end.
      answer: int32 [E].
      items: N.
      epochs: passes over the examples.
      asked: int32 [Q, L] contexts by name of the part.

    Returns:
      The figures of the training; float32 [N + 1, D] items; float32 [Q, D] queries by part; top tens per second.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.pop("TF_USE_LEGACY_KERAS", None)
    import keras
    import keras_rs
    import tensorflow as tf

    class Model(keras.Model):
        """A GRU over recent items against a table of items."""

        def __init__(self):
            super().__init__()
            self.query = keras.Sequential([keras.layers.Embedding(items + 1, DIM), keras.layers.GRU(DIM)])
            self.candidate = keras.layers.Embedding(items + 1, DIM)

        def call(self, inputs):
            return self.query(inputs)  # [B, D]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            scores = keras.ops.matmul(y_pred, keras.ops.transpose(self.candidate(y)))  # [B, B]
            right = keras.ops.arange(keras.ops.shape(scores)[0])
            losses = keras.losses.sparse_categorical_crossentropy(right, scores, from_logits=True)
            return keras.ops.mean(losses)

    stages = Stages()
    keras.utils.set_random_seed(0)
    with stages.stage("train"):
        dataset = tf.data.Dataset.from_tensor_slices((context, answer)).shuffle(len(answer), seed=0)
        model = Model()
        model.compile(optimizer=keras.optimizers.AdamW(learning_rate=0.05))
        model.fit(dataset.batch(BATCH).cache().prefetch(2), epochs=epochs, verbose=0)
    table = keras.ops.convert_to_numpy(model.candidate.embeddings)
    queries = {name: model.query.predict(rows, batch_size=1024, verbose=0) for name, rows in asked.items()}
    layer = keras_rs.layers.BruteForceRetrieval(candidate_embeddings=model.candidate.embeddings.value, k=10)
    some = queries["test"][:2048]
    layer(some)
    begin = time.perf_counter()
    layer(some)
    rate = len(some) / (time.perf_counter() - begin)
    return stages.figures["train"], table, queries, rate
