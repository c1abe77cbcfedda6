"""Does the audio tower tell spoken digits apart that it has not heard?

The Free Spoken Digit Dataset: digits 0-9, six speakers, ten takes each, 8 kHz. Takes 5-9 train, takes 0-4 test. The
tower learns to point at a vector of its digit (softmax over cosines), with SpecAugment masks and time shifts; then
these are thrown away, and a test recording is the digit whose mean training embedding is nearest. What is set
below was chosen by cross-validation over takes 5-9 (leave one take out); the test takes played no part.

    python -m benchmarks.spoken_digits [--json FILE] [--quick]

Reads `spoken_digits` from the folder MMREC_DATA, by default ../shared/data beside the checkout.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks.common import Rows, data  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip  # noqa: F401
import numpy as np
import tensorflow as tf
import tf_keras

from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.audio.spec_augment import spec_augment
from mmrec.modalities.audio.tower import AudioTower
from mmrec.preprocess.audio import decode_audio, log_mel

CONFIG = AudioConfig(rate=8000, seconds=1.0, window_ms=32.0, hop_ms=10.0)
DIGITS, DIM, BATCH, LEARNING_RATE, TEMPERATURE = 10, 64, 32, 2e-3, 0.1
SEEDS, EPOCHS = (0, 1, 2), 80


class Recordings(NamedTuple):
    """Spectrograms float32 [N, T, M], frames int32 [N] and digits int64 [N]."""

    mel: np.ndarray
    frames: np.ndarray
    digits: np.ndarray

    def features(self) -> dict[str, tf.Tensor]:
        return {"audio_mel": tf.constant(self.mel), "audio_frames": tf.constant(self.frames)}


@tf.function
def hear(files: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the spectrograms and frames of WAV files, string [N]."""
    samples, lengths, _ = decode_audio(files, CONFIG.rate, CONFIG.seconds)
    return log_mel(samples, lengths, CONFIG)


def load(takes: range) -> Recordings:
    """Reads the recordings `{digit}_{speaker}_{take}.wav` of some takes."""
    paths = sorted(data("spoken_digits").glob("*.wav"))
    paths = [path for path in paths if int(path.stem.split("_")[2]) in takes]
    mel, frames = hear(tf.constant([path.read_bytes() for path in paths]))
    return Recordings(mel.numpy(), frames.numpy(), np.array([int(path.stem[0]) for path in paths]))


def train(recordings: Recordings, seed: int, epochs: int) -> AudioTower:
    """Returns a tower that points recordings of one digit in one direction."""
    tf_keras.utils.set_random_seed(seed)
    heard = np.concatenate([mel[:count] for mel, count in zip(recordings.mel, recordings.frames, strict=True)])
    tower = AudioTower(CONFIG, heard.mean(axis=0), heard.std(axis=0), DIM)
    classes = tf.Variable(tf.random.stateless_normal([DIGITS, DIM], [seed, 0]))
    steps = epochs * -(-len(recordings.digits) // BATCH)
    optimizer = tf_keras.optimizers.Adam(tf_keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, 2], tf.int64)])
    def step(rows, seeds):
        mel, frames = (tf.gather(tensor, rows) for tensor in (recordings.mel, recordings.frames))
        mel, frames = spec_augment(mel, frames, CONFIG, seeds)
        with tf.GradientTape() as tape:
            vectors, _ = tower({"audio_mel": mel, "audio_frames": frames}, training=True)
            cosines = tf.matmul(unit(vectors), unit(classes), transpose_b=True)  # [B, 10]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                tf.gather(recordings.digits, rows), cosines / TEMPERATURE
            )
            loss = tf.reduce_mean(losses)
        weights = [*tower.trainable_variables, classes]
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(recordings.digits))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            step(tf.constant(rows), tf.constant(rng.integers(0, 2**31, (len(rows), 2))))
    return tower


def accuracy(tower: AudioTower, trained_on: Recordings, heard: Recordings) -> float:
    """Returns the share of recordings whose nearest mean embedding of a digit, by cosine, is their own digit's."""
    vectors = unit(tower(trained_on.features())[0]).numpy()
    means = unit(np.stack([vectors[trained_on.digits == digit].mean(axis=0) for digit in range(DIGITS)]))
    cosines = tf.matmul(unit(tower(heard.features())[0]), means, transpose_b=True)
    return float((cosines.numpy().argmax(axis=1) == heard.digits).mean())


def unit(vectors: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(vectors, axis=1)


def main() -> None:
    rows = Rows(__doc__)
    seeds, epochs = (SEEDS[:1], EPOCHS // 6) if rows.options.quick else (SEEDS, EPOCHS)
    start = time.perf_counter()
    trained_on, heard = load(range(5, 10)), load(range(5))
    rows.add("seconds:decode", time.perf_counter() - start, "s")
    shares, seconds = [], []
    for seed in seeds:
        start = time.perf_counter()
        tower = train(trained_on, seed, epochs)
        seconds.append(time.perf_counter() - start)
        shares.append(accuracy(tower, trained_on, heard))
        rows.add(f"accuracy:spoken_digits:seed_{seed}", shares[-1], "share", recordings=len(heard.digits))
    rows.add("accuracy:spoken_digits", np.mean(shares), "share", range=[min(shares), max(shares)])
    rows.add("seconds:train", np.mean(seconds), "s")
    rows.write()


if __name__ == "__main__":
    main()
