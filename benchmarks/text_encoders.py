"""What does reading texts cost?

The texts are 2 columns of 3 to 30 words, drawn from 4,000 words of random letters, the frequent ones more often, of
which 24 tokens each are read (T 48); dim, units and embeddings are 64 wide, the
defaults. A step is one forward and backward pass of the text tower over 256 items with Adam. Encoders, and tokenizers,
take turns, and the median of the rounds counts. The learning of a vocabulary is timed once.

    python -m benchmarks.text_encoders [--json FILE] [--quick]
"""

from __future__ import annotations

import time

from benchmarks.common import Rows, by_turns  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip  # noqa: F401
import numpy as np
import tensorflow as tf
import tf_keras

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.tower import TextTower
from mmrec.modalities.text.vocabulary import learn_text_encoder

tf.get_logger().setLevel("ERROR")  # it warns of a new graph for each contestant
TOKENIZERS = ("word", "wordpiece", "bytepair", "sentencepiece")
ENCODERS = {
    "mean": {},
    "lstm": {},
    "lstm_bidirectional": {"bidirectional": True},
    "gru": {},
    "convolutional": {},
    "transformer": {},
}
BATCH, TOKENS, DIM = 256, 48, 64


def catalog(items: int) -> np.ndarray:
    """Returns str objects [N]: titles of 3 to 30 words out of 4,000, the frequent ones more often."""
    random = np.random.default_rng(0)
    letters = np.array(list("etaoinsrhldcumfpgwybvk"))
    words = np.array(["".join(random.choice(letters, random.integers(2, 10))) for _ in range(4000)])
    likely = 1 / np.arange(10, 4010)
    lengths = random.integers(3, 31, items)
    return np.array([" ".join(random.choice(words, n, p=likely / likely.sum())) for n in lengths], object)


def step_of(tower: TextTower, tokens: tf.Tensor):
    """Returns a training step."""
    optimizer, target = tf_keras.optimizers.Adam(1e-3), tf.random.normal([len(tokens), DIM], seed=1)
    tower({"text_tokens": tokens})
    optimizer.build(tower.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            vectors, _ = tower({"text_tokens": tokens}, training=True)
            loss = tf.reduce_mean(tf.square(vectors - target))
        gradients = tape.gradient(loss, tower.trainable_variables)
        optimizer.apply_gradients(zip(gradients, tower.trainable_variables, strict=True))
        return loss

    return lambda: float(step())


def reading_of(tower: TextTower, tokens: tf.Tensor):
    """Returns an encoding of all items without training."""
    graph = tf.function(lambda: tower({"text_tokens": tokens}, training=False)[0])
    return lambda: graph().numpy()


def main() -> None:
    rows = Rows(__doc__)
    rounds, items = (3, 2000) if rows.options.quick else (15, 10000)
    texts = catalog(items)
    columns, contestants = {"title": texts, "description": texts[::-1]}, {}
    asked = [tf.constant(column[:1024].tolist()) for column in columns.values()]
    for name in TOKENIZERS:
        begin = time.perf_counter()
        encoder = learn_text_encoder(TextConfig(tokenizer=name), columns)
        rows.add(f"learning:{name}", time.perf_counter() - begin, "s", texts=2 * items, tokens=len(encoder.vocabulary))
        contestants[name] = lambda encoder=encoder: encoder(asked).numpy()
    for name, seconds in by_turns(rounds, contestants).items():
        rows.add(f"tokenizing:{name}", 2 * len(asked[0]) / seconds, "texts/s")
    random = np.random.default_rng(1)
    lengths = random.integers(8, TOKENS + 1, 1024)
    tokens = np.where(np.arange(TOKENS) < lengths[:, None], random.integers(2, 8000, (1024, TOKENS)), 0)
    tokens[0] = 2  # one fills all places
    tokens = tf.constant(tokens, tf.int32)
    steps, readings, counts = {}, {}, {}
    for name, settings in ENCODERS.items():
        tower = TextTower(TextConfig(encoder=name.split("_")[0], **settings), 8000, DIM)
        steps[name], readings[name] = step_of(tower, tokens[:BATCH]), reading_of(tower, tokens)
        counts[name] = sum(int(np.prod(v.shape)) for v in tower.trainable_variables) - 8000 * DIM
    for name, seconds in by_turns(rounds, steps).items():
        rows.add(f"step:{name}", 1000 * seconds, "ms", items=BATCH, parameters_beside_embeddings=counts[name])
    for name, seconds in by_turns(rounds, readings).items():
        rows.add(f"encoding:{name}", 1000 * seconds / len(tokens), "s per 1,000 items")
    rows.write()


if __name__ == "__main__":
    main()
