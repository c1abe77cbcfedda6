"""Reads numbers and names in a file's bytes, in the graph; no place is out of range."""

from __future__ import annotations

import tensorflow as tf


def length(encoded: tf.Tensor) -> tf.Tensor:
    """Returns int64 []: how many bytes (string []) there are."""
    return tf.cast(tf.strings.length(encoded), tf.int64)


def read_uint8(encoded: tf.Tensor, at: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """Returns the bytes from a position on.

    Args:
      encoded: string [], the file's bytes.
      at: int64 [], position of the first, at least 0.
      count: int or int64 [], how many.

    Returns:
      uint8 [count]; 0 past the end.
    """
    at = tf.minimum(tf.constant(at, tf.int64) if isinstance(at, int) else at, length(encoded))
    if isinstance(count, int):
        part = tf.strings.substr(encoded, at, tf.constant(count, tf.int64))
        return tf.io.decode_raw(part, tf.uint8, fixed_length=count)
    most = tf.maximum(tf.cast(count, tf.int32), 1)  # none at all cannot be asked for
    return tf.io.decode_raw(tf.strings.substr(encoded, at, count), tf.uint8, fixed_length=most)[:count]


def read_bytes(encoded: tf.Tensor, at: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """Returns the bytes from a position on to calculate with, int64 [count]; see `read_uint8`."""
    return tf.cast(read_uint8(encoded, at, count), tf.int64)


def is_name(digits: tf.Tensor, name: bytes) -> tf.Tensor:
    """Returns bool []: whether the bytes (int64 [n]) are those of a name."""
    return tf.reduce_all(digits == tuple(name))


def little(digits: tf.Tensor) -> tf.Tensor:
    """Reads the last axis of `digits` (int64 [..., n], bytes) as one number, low byte first."""
    return tf.reduce_sum(digits * tf.constant([256**n for n in range(digits.shape[-1])], tf.int64), -1)


def big(digits: tf.Tensor) -> tf.Tensor:
    """Reads the last axis of `digits` (int64 [..., n], bytes) as one number, high byte first."""
    return tf.reduce_sum(digits * tf.constant([256**n for n in reversed(range(digits.shape[-1]))], tf.int64), -1)


def before(encoded: tf.Tensor, name: bytes) -> tf.Tensor:
    """Returns string []: what stands before a name in the bytes (string []); all of them where it does not stand there.

    It costs about as much as a copy of the bytes, far less than a loop over the parts of a file.
    """
    return tf.raw_ops.StringSplitV2(input=[encoded], sep=name, maxsplit=1).values[0]


def find(encoded: tf.Tensor, name: bytes) -> tf.Tensor:
    """Returns int64 []: where a name first stands in the bytes (string []), -1 where it does not."""
    at = length(before(encoded, name))
    return tf.where(at < length(encoded), at, -1)
