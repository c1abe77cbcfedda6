"""Looks keys up in a constant table; TensorFlow's hash tables are state that every caller would have to save."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def find_sorted(keys: np.ndarray, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns where each number stands among sorted keys, int32 [B], and whether it does, bool [B].

    Args:
      keys: integers [K], sorted, at least one.
      wanted: integers [B] of the same type; one that is absent gets an arbitrary place.

    >>> [tensor.numpy().tolist() for tensor in find_sorted(np.array([3, 5, 9]), tf.constant([9, 4], tf.int64))]
    [[2, 1], [True, False]]
    """
    ordered = tf.constant(keys)
    place = tf.minimum(tf.searchsorted(ordered, wanted), len(keys) - 1)
    return place, tf.gather(ordered, place) == wanted
