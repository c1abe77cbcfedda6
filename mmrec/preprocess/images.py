"""Decodes photos the same way in training and inside the export."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import tensorflow as tf

from mmrec.preprocess.bmp import read_bmp_header, read_bmp_rows
from mmrec.preprocess.gif import FirstFrame, first_frame
from mmrec.preprocess.image_header import BMP, GIF, JPEG, MAGIC, UNKNOWN, ImageHeader, read_image_header
from mmrec.preprocess.jpeg import MAX_SCANS
from mmrec.preprocess.resize import resize
from mmrec.preprocess.seldom import seldom
from mmrec.preprocess.transparency import on_white

MAX_PIXELS = 50_000_000
"""Width times height above which a photo counts as unreadable, by default."""

_FEW_SCANS = 3  # of a JPEG that is not held in full size, those of its previews among them
_ALONE = 2**23  # pixels of a photo as it is decoded above which no other is decoded beside it


def decode_images(encoded: tf.Tensor, size: int, max_pixels: int = MAX_PIXELS) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes and resizes a batch of photos; a bad one fails alone.

    Reads JPEG (greyscale and CMYK too), PNG (16 bits cut to 8), the first frame of GIF, and BMP that is not compressed.
    White is behind what is transparent, and photos are turned upright by their EXIF or XMP orientation. All else is
    unreadable on every version of TensorFlow, WebP included: transcode it at ingestion. The aspect ratio is not kept. A
    JPEG that is at least twice too large in both directions is halved, once to three times, while it is decoded. Large
    photos are decoded one after the other. Call it inside a `tf.function`: an eager call traces its pipeline every
    time.

    Args:
      encoded: string [B], the files' bytes; "" is unreadable.
      size: width and height S of the result, pixels.
      max_pixels: width times height above which a photo is unreadable; it is refused by its header and never decoded,
        like a JPEG of more than 100 scans.

    Returns:
      pixels: uint8 [B, S, S, 3], RGB; 0 where unreadable.
      readable: bool [B].
    """
    encoded = tf.ensure_shape(tf.convert_to_tensor(encoded, tf.string), [None])
    count = tf.size(encoded, tf.int64)
    decode = _decoder(size, max_pixels)
    each = partial(_each, nowhere=count, size=size)
    rows, photos, waits = each(tf.range(count), encoded, lambda file: decode(file, _ALONE), calls=tf.data.AUTOTUNE)

    def large_ones_too():
        left, done = tf.boolean_mask(rows, waits), ~waits
        more = each(left, tf.gather(encoded, left), lambda file: decode(file, tf.int64.max), calls=1)
        return tuple(
            tf.concat([tf.boolean_mask(one, done), other], 0) for one, other in zip((rows, photos), more, strict=False)
        )

    rows, photos = tf.cond(tf.reduce_any(waits), large_ones_too, lambda: (rows, photos))
    place = tf.scatter_nd(rows[:, tf.newaxis], tf.range(tf.size(rows)), [count + 1])[:count]  # [B], 0 = black
    return tf.gather(photos, place), place > 0


decode_photos = tf.function(decode_images, reduce_retracing=True)
"""`decode_images`, traced once for each size and limit."""


@cache
def _decoder(size: int, max_pixels: int) -> Callable:
    """Returns `_decode` for these, traced once for all graphs that it becomes a part of."""
    signature = [tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.int64)]
    return tf.function(partial(_decode, size=size, max_pixels=max_pixels), signature, autograph=False)


def _each(
    rows: tf.Tensor, encoded: tf.Tensor, decode: Callable, nowhere: tf.Tensor, size: int, calls: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes files, `calls` at once, and leaves out those that fail.

    Returns:
      int64 [R], `nowhere` and then those of `rows` (int64 [B]) that are left, in any order; uint8 [R, S, S, 3], the
      first black; bool [R], which wait.
    """
    # A tf.data pipeline inside the graph is the one core construct in which a failing op drops its own row only.
    decoded = (
        tf.data.Dataset.from_tensor_slices((rows, encoded))
        .map(lambda row, file: (row, *decode(file)), num_parallel_calls=calls, deterministic=False)
        .ignore_errors()
    )
    # `get_single_element` fails on nothing, so one black photo goes first; it also stands in for every unreadable row.
    black = tf.data.Dataset.from_tensors((nowhere, tf.zeros([size, size, 3], tf.uint8), False))
    return black.concatenate(decoded).batch(tf.size(rows, tf.int64) + 1).get_single_element()


def _decode(encoded: tf.Tensor, most: tf.Tensor, size: int, max_pixels: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes one file's bytes (string []); fails when it is unreadable.

    Returns:
      uint8 [size, size, 3], and whether it waits (bool []) and nothing was decoded, since it has more than `most`
      pixels (int64 []) at once in memory.
    """
    file_spec = tf.TensorSpec([], tf.string)
    is_gif = tf.strings.substr(encoded, 0, 4) == MAGIC[GIF]
    nothing_around = tf.zeros([4], tf.int32), tf.zeros([3], tf.uint8)
    frame = FirstFrame(*tf.cond(is_gif, lambda: first_frame(encoded), lambda: FirstFrame(encoded, *nothing_around)))
    header = read_image_header(frame.encoded)
    around = tf.unstack(tf.cast(frame.place, tf.int64))
    height, width = header.height + around[0] + around[1], header.width + around[2] + around[3]
    with tf.control_dependencies(
        [
            tf.debugging.Assert(header.kind != UNKNOWN, ["unknown format"]),
            tf.debugging.Assert(height * width <= max_pixels, ["too many pixels"]),
            tf.debugging.Assert(header.scans <= MAX_SCANS, ["too many scans"]),
        ]
    ):
        file = tf.identity(frame.encoded)
    halvings = tf.where(header.kind == JPEG, _halvings(header, size), 0)
    # A JPEG of several scans is held in full size, whatever is left of it then.
    held_halved = tf.where(header.scans > _FEW_SCANS, 0, halvings)
    waits = _halved(height, held_halved) * _halved(width, held_halved) > most

    def decode():
        return tf.case(
            [
                (header.kind == BMP, lambda: seldom(file_spec)(partial(_bmp, size=size))(file)),
                (header.transparent, lambda: seldom(file_spec)(partial(_transparent_png, size=size))(file)),
            ],
            default=lambda: _opaque(file, header, halvings, frame, size),
        )

    pixels = tf.cond(waits, lambda: tf.zeros([size, size, 3], tf.uint8), decode)
    return _upright(pixels, header.orientation), waits


def _bmp(encoded: tf.Tensor, size: int) -> tf.Tensor:
    header = read_bmp_header(encoded)
    return resize(partial(read_bmp_rows, encoded, header), header.height, header.width, size)


def _transparent_png(encoded: tf.Tensor, size: int) -> tf.Tensor:
    pixels = tf.io.decode_png(encoded, channels=4)
    height, width = tf.unstack(tf.shape(pixels, tf.int64)[:2])
    read = lambda first, last: on_white(pixels[first:last, :, :3], pixels[first:last, :, 3:])  # noqa: E731
    return resize(read, height, width, size)


def _opaque(encoded: tf.Tensor, header: ImageHeader, halvings: tf.Tensor, frame: FirstFrame, size: int) -> tf.Tensor:
    def other():
        return tf.io.decode_image(encoded, channels=3, expand_animations=False)  # [height, width, 3]

    def gif():
        around = tf.concat([tf.reshape(frame.place, [2, 2]), [[0, 0]]], 0)
        covers_all = tf.reduce_all(frame.place == 0)
        return tf.cond(covers_all, other, lambda: frame.background + tf.pad(other() - frame.background, around))

    jpeg = partial(_jpeg, encoded, halvings)
    pixels = tf.case([(header.kind == JPEG, jpeg), (header.kind == GIF, gif)], default=other)
    height, width = tf.unstack(tf.shape(pixels, tf.int64)[:2])
    # The last row and column of a halved JPEG may stand for fewer pixels; they go when it is less than half.
    height = tf.where(halvings > 0, _halved(header.height, halvings), height)
    width = tf.where(halvings > 0, _halved(header.width, halvings), width)
    return resize(lambda first, last: pixels[first:last, :width], height, width, size)


def _halvings(header: ImageHeader, size: int) -> tf.Tensor:
    """Returns int32 [], how often a JPEG is halved: at most three times, as often as it leaves `size` both ways."""
    times = tf.minimum(header.height, header.width) // size
    return tf.reduce_sum(tf.cast(times >= [2, 4, 8], tf.int32))


def _halved(side: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
    """Returns int64 [], the pixels of a side (int64 []) after so many halvings, rounded."""
    half = tf.bitwise.left_shift(tf.ones_like(side), tf.cast(times, tf.int64)) // 2
    return tf.bitwise.right_shift(side + half, tf.cast(times, tf.int64))


def _jpeg(encoded: tf.Tensor, halvings: tf.Tensor) -> tf.Tensor:
    """Returns uint8 [height / n, width / n, 3], n = 2 ** halvings.

    JPEG holds blocks of 8 x 8 frequencies; leaving out the high ones decodes a smaller photo, in less time and memory.
    """
    # TensorFlow's usual inverse transform is off by up to 9 levels of 255; the accurate one takes no longer.
    decode = partial(tf.io.decode_jpeg, encoded, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.switch_case(halvings, [partial(decode, ratio=n) for n in (1, 2, 4, 8)])


def _upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes the EXIF orientation of a square photo [S, S, 3]: transposes 5-8, then mirrors and flips."""

    def turned():
        out = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
        mirror = tf.reduce_any(orientation == [2, 3, 6, 7])
        out = tf.cond(mirror, lambda: tf.reverse(out, [1]), lambda: out)
        flip = tf.reduce_any(orientation == [3, 4, 7, 8])
        return tf.cond(flip, lambda: tf.reverse(out, [0]), lambda: out)

    return tf.cond(orientation > 1, turned, lambda: pixels)
