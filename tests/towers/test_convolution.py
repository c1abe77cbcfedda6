import numpy as np
import pytest
import tensorflow as tf
from tf_keras import layers

from mmrec.towers.convolution import Convolution


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("width", "stride"), [(1, 1), (2, 1), (3, 2), (5, 2), (4, 3)])
@pytest.mark.parametrize("length", [5, 6, 11])
def test_it_is_kerass_own(padding, width, stride, length):
    values = tf.random.normal([3, length, 2])
    ours, stock = (kind(4, width, stride, padding) for kind in (Convolution, layers.Conv1D))
    stock.build(values.shape)
    ours.build(values.shape)
    ours.set_weights(stock.get_weights())
    found = ours(values)
    np.testing.assert_allclose(found, stock(values), atol=1e-6)
    in_graph = tf.function(ours, input_signature=[tf.TensorSpec([None, None, 2])])
    assert ours(values[:0]).shape == in_graph(values[:0]).shape == (0, *found.shape[1:])


def test_by_hand():
    layer = Convolution(1, 2, 2)
    layer.build((None, 5, 1))
    layer.set_weights([np.array([[[1.0]], [[10.0]]]), np.array([0.5])])
    # Windows (1, 2) and (3, 4); the 5 stands alone.
    np.testing.assert_allclose(layer(np.arange(1.0, 6.0).reshape(1, 5, 1)), [[[21.5], [43.5]]])


def test_no_rows_move_no_weights():
    layer = Convolution(4, 3, 2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.zeros([0, 7, 2])))
    for gradient in tape.gradient(loss, layer.trainable_variables):
        np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))
