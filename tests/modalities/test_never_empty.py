import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.never_empty import never_empty


def sums(values, factor=1.0):
    return tf.reduce_sum(values, axis=1) * factor + 1.0


def test_rows_are_what_the_layer_makes_of_them():
    outputs = never_empty(sums, tf.constant([[1.0, 2.0], [3.0, 4.0]]), factor=2.0)
    assert outputs.numpy().tolist() == [7.0, 15.0]


def test_without_rows_there_are_none_and_the_layer_sees_one_of_zeros():
    seen = []
    outputs = never_empty(lambda values: seen.append(values.numpy().tolist()) or sums(values), tf.zeros([0, 2]))
    assert outputs.shape == (0,)
    assert seen == [[[0.0, 0.0]]]


def test_a_convolution_takes_no_rows_and_these_move_no_weights():
    layer = layers.Conv1D(4, 3, strides=2)
    run = tf.function(
        lambda values: never_empty(layer, values), input_signature=[tf.TensorSpec([None, None, 2], tf.float32)]
    )
    assert run(tf.zeros([5, 7, 2])).shape == (5, 3, 4)
    with tf.GradientTape() as tape:
        output = run(tf.zeros([0, 7, 2]))
        loss = tf.reduce_sum(output)
    assert output.shape == (0, 3, 4)
    for gradient in tape.gradient(loss, layer.trainable_variables):
        np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))
