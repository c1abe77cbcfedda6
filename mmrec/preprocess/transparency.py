"""Puts transparent photos on white, by one rule for all formats."""

from __future__ import annotations

import tensorflow as tf


def on_white(colours: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """Blends transparent pixels with white.

    Args:
      colours: uint8 [..., 3].
      alpha: uint8 [..., 1], 0 shows white, 255 the colour.

    Returns:
      uint8 [..., 3], rounded.
    """
    colours, alpha = tf.cast(colours, tf.uint16), tf.cast(alpha, tf.uint16)
    times_255 = colours * alpha + 255 * (255 - alpha)  # at most 255 * 255
    # (x + 128) * 257 / 65,536 rounds x / 255, without a number beyond 16 bits.
    more = times_255 + 128
    return tf.cast(tf.bitwise.right_shift(more + tf.bitwise.right_shift(more, 8), 8), tf.uint8)
