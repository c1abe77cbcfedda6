"""Reads a photo's orientation from its EXIF or XMP data."""

from __future__ import annotations

import tensorflow as tf

from mmrec.preprocess.file_bytes import big, find, is_name, little, read_bytes
from mmrec.preprocess.seldom import seldom

_TAG = 0x0112
_SHORT, _LONG = 3, 4
_MOST_ENTRIES = 4096
_XMP = b"tiff:Orientation"


@seldom(tf.TensorSpec([], tf.string))
def exif_orientation(block: tf.Tensor) -> tf.Tensor:
    """Reads the orientation in the first directory of a TIFF block.

    Args:
      block: string [], bytes that begin with the block.

    Returns:
      int64 [] 1-8; 0 where it is absent or damaged.

    Source: Exif 2.32 (CIPA DC-008).
    """
    start = read_bytes(block, 0, 4)
    low_first, high_first = is_name(start, b"II*\0"), is_name(start, b"MM\0*")

    def number(digits):
        return tf.where(low_first, little(digits), big(digits))

    directory = number(read_bytes(block, 4, 4))
    count = tf.minimum(number(read_bytes(block, directory, 2)), _MOST_ENTRIES)
    entries = tf.reshape(read_bytes(block, directory + 2, 12 * count), [-1, 12])  # tag, type, count, value
    kind = number(entries[:, 2:4])
    value = tf.where(kind == _LONG, number(entries[:, 8:12]), 0)
    value = tf.where(kind == _SHORT, number(entries[:, 8:10]), value)
    value = tf.reduce_max(tf.concat([tf.where(number(entries[:, :2]) == _TAG, value, 0), [0]], 0))
    return tf.where((low_first | high_first) & (value <= 8), value, 0)


@seldom(tf.TensorSpec([], tf.string))
def xmp_orientation(text: tf.Tensor) -> tf.Tensor:
    """Reads the orientation in XMP data, an attribute or an element.

    Args:
      text: string [], bytes with the data somewhere in them.

    Returns:
      int64 [] 1-8; 0 where it is absent.

    Source: XMP (ISO 16684-1).
    """
    at = find(text, _XMP)
    after = read_bytes(text, at + len(_XMP), 3)
    digit = tf.where(after[0] == ord("="), after[2], tf.where(after[0] == ord(">"), after[1], 0)) - ord("0")
    return tf.where((at >= 0) & (digit >= 1) & (digit <= 8), digit, 0)
