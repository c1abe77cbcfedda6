"""Resizes photos to a square in bands of rows: no more than a band is ever in memory as other than bytes."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

_AT_ONCE = 2**21  # pixels of a band

ReadRows = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(first, last), int64 [] -> uint8 [last - first, width, 3], the rows from the first up to, not including, the last."""


def resize(read: ReadRows, height: tf.Tensor, width: tf.Tensor, size: int, at_once: int = _AT_ONCE) -> tf.Tensor:
    """Resizes a photo by a triangle filter, which widens by the factor of shrinking.

    Args:
      read: gives rows of the photo.
      height: int64 [], its rows.
      width: int64 [], its columns.
      size: S, rows and columns of the result.
      at_once: pixels of the photo that are read together, as far as one row of the result does not need more; the
        result is the same but for rounding.

    Returns:
      uint8 [S, S, 3].
    """
    # Antialiasing widens the triangle of weights by the factor of shrinking: nothing when a photo grows, almost nothing
    # up to 1.25, and twice the time.
    much = 4 * tf.maximum(height, width) > 5 * size
    whole = tf.maximum(height, size) * width <= at_once
    side = tf.constant(size, tf.int64)
    target = tf.where(whole, side, tf.minimum(height, size))  # a large photo of few rows is shrunk to its width first
    rows = tf.where(whole, side, tf.maximum(at_once // (width * (height // target + 1)) - 1, 1))  # of a band's result
    scale = tf.cast([target, side], tf.float64) / tf.cast([height, width], tf.float64)

    def band(row, done):
        last = tf.minimum(row + rows, target)
        # The weights of row r reach from r - 1/2 to r + 3/2, in rows of the result.
        first_read = tf.maximum((2 * row - 1) * height // (2 * target) - 1, 0)
        last_read = tf.minimum((2 * last + 1) * height // (2 * target) + 1, height)
        part, extent = read(first_read, last_read)[tf.newaxis], tf.cast([last - row, side], tf.int32)
        shift = tf.stack([tf.cast(first_read, tf.float64) * scale[0] - tf.cast(row, tf.float64), 0])
        resized = tf.cond(
            much,
            lambda: tf.raw_ops.ScaleAndTranslate(
                images=part,
                size=extent,
                scale=tf.cast(scale, tf.float32),
                translation=tf.cast(shift, tf.float32),
                kernel_type="triangle",
                antialias=True,
            ),
            lambda: tf.raw_ops.ResizeBilinear(images=part, size=extent, half_pixel_centers=True),
        )
        done = tf.cond(row > 0, lambda: tf.concat([done, resized[0]], 0), lambda: resized[0])  # mostly one band
        return last, tf.ensure_shape(done, [None, size, 3])

    _, done = tf.while_loop(
        lambda row, done: row < target,
        band,
        (tf.zeros([], tf.int64), tf.zeros([0, size, 3])),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, size, 3])),
        parallel_iterations=1,  # bands that wait would be in memory together
    )
    full = [size, size]
    resized = tf.cond(
        target < size,
        lambda: tf.raw_ops.ResizeBilinear(images=done[tf.newaxis], size=full, half_pixel_centers=True)[0],
        lambda: done,
    )
    return tf.ensure_shape(tf.cast(resized + 0.5, tf.uint8), [size, size, 3])  # a weighted mean: within 0-255
