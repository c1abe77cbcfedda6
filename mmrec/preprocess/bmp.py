"""Reads the rows of a BMP that is not compressed."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmrec.preprocess.file_bytes import length, read_bytes, read_uint8
from mmrec.preprocess.seldom import seldom
from mmrec.preprocess.transparency import on_white

_WORDS = 35  # of two bytes, up to the last mask
_OLD = 12  # size of the first kind of header, with numbers of two bytes
_MASKS = {16: (0x7C00, 0x3E0, 0x1F), 24: (0xFF0000, 0xFF00, 0xFF), 32: (0xFF0000, 0xFF00, 0xFF)}
_USUAL = (0xFF0000, 0xFF00, 0xFF, 0)
_PLAIN, _BIT_FIELDS, _BIT_FIELDS_WITH_ALPHA = 0, 3, 6
_WITH_ALPHA = 56  # size of the first kind of header that has a mask for it
_UPRIGHT, _FLIPPED = 1, 4  # EXIF orientations: the first row stored is the highest, or the lowest


class Bmp(NamedTuple):
    """A BMP's header; int64 scalars but for `readable` and `masks`.

    Attributes:
      readable: bool, whether the rest means something: a palette or bit fields, and all rows are there.
      height: pixels.
      width: pixels.
      orientation: as in EXIF.
      bits: per pixel: 1, 4, 8 (palette), 16, 24 or 32.
      masks: int64 [4], the bits of red, green, blue and alpha; 0: none.
      palette: position of the colour table.
      colours: its entries.
      entry: bytes of each.
      start: position of the first row.
      stride: bytes from row to row.
    """

    readable: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    bits: tf.Tensor
    masks: tf.Tensor
    palette: tf.Tensor
    colours: tf.Tensor
    entry: tf.Tensor
    start: tf.Tensor
    stride: tf.Tensor


@seldom(tf.TensorSpec([], tf.string))
def read_bmp_header(encoded: tf.Tensor) -> Bmp:
    """Reads the header of a BMP; what follows the pixels does not matter.

    Args:
      encoded: string [], the file's bytes.

    Returns:
      The header; `readable` says whether the rest means something.

    Source: Microsoft, BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV5HEADER.
    """
    digits = tf.reshape(read_bytes(encoded, 0, 2 * _WORDS), [_WORDS, 2])
    words = digits[:, 0] + 256 * digits[:, 1]
    pairs = words[:-1] + 65536 * words[1:]  # numbers of four bytes, by the position of their first word
    word, pair = tf.unstack(words), tf.unstack(pairs)
    start, size = pair[5], pair[7]
    usual = tf.stack([pair[9], pair[11], word[14], pair[15], pair[23]])
    old = tf.stack([word[9], word[10], word[12], 0, 0])
    is_old = size == _OLD
    width, height, bits, packing, colours = tf.unstack(tf.where(is_old, old, usual))
    height = tf.where(height < 2**31, height, height - 2**32)

    named = tf.reduce_any(packing == (_BIT_FIELDS, _BIT_FIELDS_WITH_ALPHA))
    has_alpha = (size >= _WITH_ALPHA) | (packing == _BIT_FIELDS_WITH_ALPHA)
    masks = pairs[27:34:2] * tf.stack([1, 1, 1, tf.cast(has_alpha, tf.int64)])
    kinds = tf.constant(list(_MASKS), tf.int64) == bits  # [3]
    of_kind = tf.tensordot(tf.cast(kinds, tf.int64), tf.constant([[*one, 0] for one in _MASKS.values()], tf.int64), 1)
    masks = tf.where(named, masks, of_kind)

    entry = tf.where(is_old, 3, 4)
    entry = tf.cast(entry, tf.int64)
    palette = 14 + size
    most = tf.bitwise.left_shift(tf.ones_like(bits), tf.minimum(bits, 8))
    most = tf.minimum(most, tf.maximum(start - palette, 0) // entry)
    colours = tf.where(colours == 0, most, tf.minimum(colours, most))
    stride = (width * bits + 31) // 32 * 4
    end = start + stride * (tf.abs(height) - 1) + (width * bits + 7) // 8
    there = (width > 0) & (height != 0) & (start >= palette) & (end <= length(encoded))
    direct, indexed = tf.reduce_any(kinds), tf.reduce_any(bits == (1, 4, 8))
    readable = there & ((packing == _PLAIN) & (direct | indexed) | named & direct)
    orientation = tf.cast(tf.where(height > 0, _FLIPPED, _UPRIGHT), tf.int64)
    return Bmp(readable, tf.abs(height), width, orientation, bits, masks, palette, colours, entry, start, stride)


def read_bmp_rows(encoded: tf.Tensor, header: Bmp, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Decodes some rows of a readable BMP.

    Args:
      encoded: string [], the file's bytes.
      header: of the file.
      first: int64 [], the first row, as stored.
      last: int64 [], the row after the last.

    Returns:
      uint8 [last - first, width, 3], RGB on white.
    """
    data = read_uint8(encoded, header.start + first * header.stride, (last - first) * header.stride)
    rows = tf.reshape(data, tf.stack([last - first, header.stride]))
    return tf.cond(header.bits <= 8, lambda: _indexed(encoded, header, rows), lambda: _direct(header, rows))


def _indexed(encoded: tf.Tensor, header: Bmp, rows: tf.Tensor) -> tf.Tensor:
    """Looks up the colours of rows, uint8 [R, bytes] -> [R, width, 3]."""
    table = read_uint8(encoded, header.palette, header.colours * header.entry)
    table = tf.reverse(tf.reshape(table, tf.stack([-1, header.entry]))[:, :3], [1])  # stored blue, green, red
    table = tf.pad(table, [[0, 256 - tf.shape(table)[0]], [0, 0]])  # [256, 3]
    shifts = tf.cast(tf.range(8 - header.bits, -1, -header.bits), tf.uint8)  # the highest bits stand to the left
    ones = tf.bitwise.left_shift(tf.ones_like(header.bits), header.bits) - 1
    places = tf.bitwise.bitwise_and(tf.bitwise.right_shift(rows[..., tf.newaxis], shifts), tf.cast(ones, tf.uint8))
    places = tf.reshape(places, tf.stack([tf.shape(rows)[0], -1]))[:, : header.width]
    return tf.gather(table, tf.cast(places, tf.int32))


def _direct(header: Bmp, rows: tf.Tensor) -> tf.Tensor:
    """Takes pixels apart, uint8 [R, bytes] -> [R, width, 3]."""
    count = header.bits // 8
    pixels = tf.reshape(rows[:, : header.width * count], tf.stack([tf.shape(rows, tf.int64)[0], header.width, count]))

    def by_masks():
        whole = tf.bitcast(tf.pad(pixels, [[0, 0], [0, 0], [0, 4 - count]]), tf.uint32)[
            ..., tf.newaxis
        ]  # [R, width, 1]
        digits = tf.bitwise.right_shift(header.masks[:, tf.newaxis], tf.range(32, dtype=tf.int64)) % 2  # [4, 32]
        widths = tf.reduce_sum(digits, axis=1)  # [4]
        shifts = tf.argmax(digits, axis=1) + tf.maximum(widths - 8, 0)  # eight bits are enough
        most = tf.bitwise.left_shift(tf.ones_like(widths), tf.minimum(widths, 8)) - 1
        values = tf.bitwise.bitwise_and(
            tf.bitwise.right_shift(whole, tf.cast(shifts, tf.uint32)), tf.cast(most, tf.uint32)
        )
        values = tf.cast(values, tf.int32) * 255 // tf.cast(tf.maximum(most, 1), tf.int32)  # [R, width, 4]
        values = tf.cast(values + 255 * tf.constant([0, 0, 0, 1]) * tf.cast(most == 0, tf.int32), tf.uint8)
        return on_white(values[..., :3], values[..., 3:])

    usual = (count >= 3) & tf.reduce_all(header.masks == _USUAL)
    return tf.cond(usual, lambda: tf.reverse(pixels[..., :3], [2]), by_masks)
