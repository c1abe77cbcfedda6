"""Runs layers on batches without rows, which some kernels refuse."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def never_empty(layer: Callable[..., tf.Tensor], values: tf.Tensor, **arguments) -> tf.Tensor:
    """Calls a layer with convolutions; where there are no rows, with one of zeros, which it then leaves out.

    TensorFlow runs oneDNN's convolutions on processors that these are made for, and there returns an empty batch in the
    shape of its input (2.21), so that the layers behind it fail.

    Args:
      layer: tensor [B, ...] -> tensor [B, ...], B >= 1.
      values: tensor [B, ...], B >= 0.
      **arguments: of the layer.

    Returns:
      What the layer returns; [0, ...] where there are no rows.
    """
    shape = tf.shape(values)
    missing = tf.cast(tf.equal(shape[0], 0), tf.int32)
    # Not `tf.pad`: TensorFlow merges it into a convolution behind it, which then sees the empty batch.
    row = tf.zeros(tf.concat([[missing], shape[1:]], axis=0), values.dtype)
    return layer(tf.concat([values, row], axis=0), **arguments)[: shape[0]]
