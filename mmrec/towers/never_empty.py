"""Batches without rows, which not every kernel takes."""

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
    rows = tf.shape(values)[0]
    missing = tf.cast(tf.equal(rows, 0), tf.int32)
    padding = [[0, missing], *[[0, 0]] * (len(values.shape) - 1)]
    return layer(tf.pad(values, padding), **arguments)[:rows]
