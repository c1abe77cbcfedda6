"""Draws random numbers by a seed without disturbing the process's own generators."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.python.eager import context
from tf_keras.src import backend


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seeds all generators for the block, as `tf_keras.utils.set_random_seed(seed)` does, and then restores them.

    Restores those of Python, NumPy, Keras 2 and TensorFlow. (Random operations that TensorFlow ran before start anew,
    as they do whenever its seed is set.)

    >>> random.seed(1)
    >>> with seeded(0):
    ...     drawn = random.random()
    >>> random.random() == random.Random(1).random(), drawn == random.Random(0).random()
    (True, True)
    """
    python, numpy = random.getstate(), np.random.get_state()
    of_tensorflow, of_keras = context.context(), backend._SEED_GENERATOR
    seed_before, drawing = of_tensorflow._seed, getattr(of_tensorflow, "_rng", None)  # none until a seed is set
    keras = getattr(of_keras, "generator", None)
    tf_keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        tf.random.set_seed(seed_before)
        if drawing is not None:
            of_tensorflow._rng = drawing
        of_keras.generator = keras
