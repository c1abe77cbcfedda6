"""A convolution over time that may be given no rows."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers


class Convolution(layers.Conv1D):
    """`Conv1D` whose result has the right shape for a batch without rows as well.

    TensorFlow runs oneDNN's kernels on processors that these are made for, and returns an empty batch in the shape of
    its input there (2.21), so that the layers behind it fail.
    """

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """float32 [B, T, C] and [K, C, F] -> float32 [B, T', F]; `padding` is `valid` or `same`."""
        (width,), (stride,) = self.kernel_size, self.strides
        missing = width - 1 if self.padding == "valid" else 0
        length = -(-(tf.shape(inputs)[1] - missing) // stride)
        return tf.reshape(super().convolution_op(inputs, kernel), [tf.shape(inputs)[0], length, self.filters])
