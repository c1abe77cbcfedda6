import random

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from mmrec.seeded import seeded


def draws():
    """Draws from every generator of the process: Python's, NumPy's, TensorFlow's, and that of Keras's initialisers."""
    layer = layers.Dense(1)
    layer.build([1, 4])
    drawn = [random.random(), np.random.random(), float(tf.random.uniform([]))]
    return [*drawn, *layer.kernel.numpy().ravel().tolist()]


@pytest.mark.parametrize("host", [5, None])
def test_draws_within_follow_the_seed_and_those_of_the_process_go_on(host):
    if host is not None:
        tf_keras.utils.set_random_seed(host)
        draws()
        expected = draws()
        tf_keras.utils.set_random_seed(host)
        draws()
    with seeded(3):
        within = draws()
    after = draws()
    if host is not None:
        assert after == expected
    assert after != within
    with seeded(3):
        assert draws() == within


def test_the_process_goes_on_after_an_error_too():
    random.seed(1)
    expected = random.Random(1).random()
    with pytest.raises(ZeroDivisionError), seeded(0):
        raise ZeroDivisionError
    assert random.random() == expected
