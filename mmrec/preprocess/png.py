"""Reads transparency, EXIF and XMP data from a PNG."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmrec.preprocess.file_bytes import before, big, find, is_name, length, read_bytes
from mmrec.preprocess.seldom import seldom

_GREY, _COLOUR, _PALETTE = 0, 2, 3
_ALPHA = 4
_TAIL = 2**16  # bytes at a file's end in which what describes the photo is looked for


class PngHeader(NamedTuple):
    """A PNG's properties and metadata; scalars.

    Attributes:
      height: int64, pixels.
      width: int64, pixels.
      transparent: bool, whether it has an alpha channel or a usable tRNS chunk.
      exif: string, what stands in the file from its EXIF data on; "" without any.
      description: string, what may describe the photo: all before the pixels, and the last 64 KiB behind them.
    """

    height: tf.Tensor
    width: tf.Tensor
    transparent: tf.Tensor
    exif: tf.Tensor
    description: tf.Tensor


@seldom(tf.TensorSpec([], tf.string))
def read_png_header(encoded: tf.Tensor) -> PngHeader:
    """Reads what stands in a PNG beside its pixels.

    Args:
      encoded: string [], the file's bytes.

    Source: PNG (ISO/IEC 15948).
    """
    head, size = before(encoded, b"IDAT"), read_bytes(encoded, 16, 8)
    tail = tf.constant(_TAIL, tf.int64)
    start = tf.maximum(length(encoded) - tail, length(head))
    description = tf.strings.join([head, tf.strings.substr(encoded, start, tail)])
    return PngHeader(big(size[4:]), big(size[:4]), _is_transparent(head), _exif(description), description)


def _is_transparent(head: tf.Tensor) -> tf.Tensor:
    kind, at, palette = read_bytes(head, 25, 1)[0], find(head, b"tRNS"), find(head, b"PLTE")
    # A chunk is its length, its name, and its content.
    count, palette_bytes = (big(read_bytes(head, tf.maximum(name - 4, 0), 4)) for name in (at, palette))
    fits = ((kind == _GREY) & (count == 2)) | ((kind == _COLOUR) & (count == 6))
    fits |= (kind == _PALETTE) & (count >= 1) & (3 * count <= palette_bytes) & (palette >= 0) & (palette < at)
    return (kind >= _ALPHA) | ((at >= 0) & fits)


def _exif(description: tf.Tensor) -> tf.Tensor:
    at = find(description, b"eXIf")

    def data():
        block = at + 4
        copied = is_name(read_bytes(description, block, 6), b"Exif\0\0")  # with the name that it has in a JPEG
        return tf.strings.substr(description, block + 6 * tf.cast(copied, tf.int64), tf.constant(_TAIL, tf.int64))

    return tf.cond(at >= 0, data, lambda: tf.constant(b""))
