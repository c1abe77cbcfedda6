"""Cuts a GIF down to its first frame before it is decoded."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmrec.preprocess.file_bytes import read_uint8
from mmrec.preprocess.seldom import seldom

_MOST_BLOCKS = 20_000  # data blocks walked over, of at most 255 bytes each: about 5 MB
_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9  # the extension that says which colour is transparent
_INTERLACED, _OWN_TABLE_OF_256 = 0x40, 0x87  # flags of a frame
_WHITE = 255
_BYTES = [bytes([value]) for value in range(256)]


class FirstFrame(NamedTuple):
    """The first frame of a GIF, and where it stands.

    Attributes:
      encoded: string [], a GIF of this frame alone, without transparency; "" when it has no end.
      place: int32 [4], the rows above it and below it, and the columns left and right of it, that it does not cover.
      background: uint8 [3], the colour there.
    """

    encoded: tf.Tensor
    place: tf.Tensor
    background: tf.Tensor


@seldom(tf.TensorSpec([], tf.string))
def first_frame(encoded: tf.Tensor) -> FirstFrame:
    """Makes a file of the first frame, its transparent colour white.

    TensorFlow decodes every frame and makes room for the largest, whatever the header says: a file of 100 bytes can
    claim 12 GB. Made anew, the header tells the truth about what will be decoded. TensorFlow also shows transparency
    black, and refuses empty extensions and colours that the table lacks: these become grey, as where there is no table.

    Args:
      encoded: string [], the bytes of a GIF.

    Returns:
      The frame; its `encoded` is "" when it has no end.

    Source: GIF89a specification, CompuServe 1990.
    """
    data = tf.pad(tf.io.decode_raw(encoded, tf.uint8), [[0, 1]])  # reading past the end gives 0
    size = tf.strings.length(encoded)

    def numbers(at, count):  # the bytes from a position on
        return tf.unstack(tf.cast(tf.gather(data, tf.minimum(at + tf.range(count), size)), tf.int32))

    def byte(at):
        return tf.cast(tf.gather(data, tf.minimum(at, size)), tf.int32)

    def table_bytes(flags):  # of a colour table
        return tf.where(flags >= 128, 3 * tf.bitwise.left_shift(2, flags % 8), 0)

    def skip_blocks(at, left):  # each starts with its length; one of length 0 is the last
        at, _, left = tf.while_loop(
            lambda at, long, left: (long > 0) & (left > 0),
            lambda at, long, left: (at + long + 1, byte(at + long + 1), left - 1),
            (at, byte(at), left),
        )
        return at + 1, left

    def following(at, left, clear):
        sign, label, long, flags, _, _, colour = numbers(at, 7)
        is_extension = sign == _EXTENSION
        clear = tf.where(is_extension & (label == _CONTROL) & (long >= 4) & (flags % 2 == 1), colour, clear)
        at, left = tf.cond(is_extension, lambda: skip_blocks(at + 2, left - 1), lambda: (at + 1, left - 1))
        return at, left, clear

    def goes_on(at, left, clear):
        sign = byte(at)
        return (sign != _FRAME) & (sign != _END) & (at < size) & (left > 0)

    header = numbers(0, 13)
    common = table_bytes(header[10])
    at, left, clear = tf.while_loop(goes_on, following, (13 + common, tf.constant(_MOST_BLOCKS), -1))
    frame = numbers(at, 10)
    own = table_bytes(frame[9])
    end, left = skip_blocks(at + 11 + own, left)

    def cut():
        table = read_uint8(encoded, *_int64(tf.where(own > 0, at + 10, 13), tf.where(own > 0, own, common)))
        grey = tf.tile(tf.range(256)[:, tf.newaxis], [1, 3])
        table = tf.reshape(tf.cast(table, tf.int32), [-1, 3])
        table = tf.concat([table, grey[tf.shape(table)[0] :]], 0)  # [256, 3]
        table = tf.where(tf.range(256)[:, tf.newaxis] == clear, _WHITE, table)
        background = tf.where(clear >= 0, _WHITE, table[0])
        flags = (frame[9] & _INTERLACED) | _OWN_TABLE_OF_256
        extent = tf.strings.substr(encoded, at + 5, 4)
        pixels = tf.strings.substr(encoded, at + 10 + own, end - at - 10 - own)
        described = tf.gather(tf.constant(_BYTES), tf.concat([[flags], tf.reshape(table, [-1])], 0))
        file = [b"GIF89a", extent, bytes(3), b"," + bytes(4), extent, tf.strings.reduce_join(described), pixels, b";"]
        # Two bytes each: width and height of the screen; left, top, width and height of the frame.
        screen_width, screen_height, left_side, top, width, height = (
            pair[0] + 256 * pair[1]
            for pair in (header[6:8], header[8:10], frame[1:3], frame[3:5], frame[5:7], frame[7:9])
        )
        below, right_side = tf.maximum(screen_height - top - height, 0), tf.maximum(screen_width - left_side - width, 0)
        return tf.strings.join(file), tf.stack([top, below, left_side, right_side]), tf.cast(background, tf.uint8)

    nothing = tf.constant(b""), tf.zeros([4], tf.int32), tf.zeros([3], tf.uint8)
    whole = (frame[0] == _FRAME) & (left > 0) & (end <= size)
    return FirstFrame(*tf.cond(whole, cut, lambda: nothing))


def _int64(*numbers: tf.Tensor) -> list[tf.Tensor]:
    return [tf.cast(number, tf.int64) for number in numbers]
