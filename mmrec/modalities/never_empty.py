"""Runs layers on batches without rows, which some kernels refuse."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def never_empty(layer: Callable[..., tf.Tensor], values: tf.Tensor, **arguments) -> tf.Tensor:
    """Calls a layer with convolutions; an empty batch gets one row of zeros, which is removed again.

    On processors that oneDNN supports, TensorFlow's convolutions (2.21) return an empty batch in the shape of their
    input, so that the layers behind them fail.

    Args:
      layer: tensor [B, ...] -> tensor [B, ...], B >= 1.
      values: tensor [B, ...], B >= 0.
      **arguments: passed on to the layer.

    Returns:
      What the layer returns; [0, ...] where there are no rows.
    """
    shape = tf.shape(values)
    missing = tf.cast(tf.equal(shape[0], 0), tf.int32)
    # Not `tf.pad`: TensorFlow merges it into a convolution behind it, which then sees the empty batch.
    row = tf.zeros(tf.concat([[missing], shape[1:]], axis=0), values.dtype)
    return layer(tf.concat([values, row], axis=0), **arguments)[: shape[0]]
