"""Decodes photos the same way in training and inside the export."""

from __future__ import annotations

import functools

import tensorflow as tf

from mmrec.preprocess.gif import only_first_frame
from mmrec.preprocess.image_header import BMP, GIF, JPEG, MAGIC, PNG, UNKNOWN, ImageHeader, read_image_header

MAX_PIXELS = 64_000_000
"""Width times height above which a photo counts as unreadable: it is refused by its header and never decoded."""


def decode_images(encoded: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes and resizes a batch of photos; a bad one fails alone.

    Reads JPEG (greyscale and CMYK too; turned upright by its EXIF orientation), PNG (transparency on white; 16 bits cut
    to 8), the first frame of GIF, and BMP of 24 or 32 bits. All else is unreadable on every version of TensorFlow, WebP
    included: transcode it at ingestion. The aspect ratio is not kept. A JPEG that is at least twice too large in both
    directions is halved, once to three times, while it is decoded. Call it inside a `tf.function`: an eager call traces
    its pipeline every time.

    Args:
      encoded: string [B], the files' bytes; "" is unreadable.
      size: width and height S of the result, pixels.

    Returns:
      pixels: uint8 [B, S, S, 3], RGB; 0 where unreadable.
      readable: bool [B].
    """
    encoded = tf.ensure_shape(tf.convert_to_tensor(encoded, tf.string), [None])
    count = tf.size(encoded, tf.int64)
    # A tf.data pipeline inside the graph is the one core construct in which a failing op drops its own row only.
    decoded = (
        tf.data.Dataset.from_tensor_slices((tf.range(count), encoded))
        .map(lambda row, file: (row, _decode(file, size)), num_parallel_calls=tf.data.AUTOTUNE, deterministic=False)
        .ignore_errors()
    )
    # `get_single_element` fails on nothing, so one black photo goes first; it also stands in for every unreadable row.
    black = tf.data.Dataset.from_tensors((count, tf.zeros([size, size, 3], tf.uint8)))
    rows, photos = black.concatenate(decoded).batch(count + 1).get_single_element()  # [R], [R, S, S, 3]
    place = tf.scatter_nd(rows[:, tf.newaxis], tf.range(tf.size(rows)), [count + 1])[:count]  # [B], 0 = black
    return tf.gather(photos, place), place > 0


def _decode(encoded: tf.Tensor, size: int) -> tf.Tensor:
    """Returns uint8 [size, size, 3] of one file's bytes (string []); fails when it is unreadable."""
    is_gif = tf.strings.substr(encoded, 0, 4) == MAGIC[GIF]
    encoded = tf.cond(is_gif, lambda: only_first_frame(encoded), lambda: encoded)
    header = read_image_header(encoded)
    supported = (header.kind != UNKNOWN) & ((header.kind != BMP) | (header.depth >= 24))
    with tf.control_dependencies(
        [
            tf.debugging.Assert(supported, ["unknown format"]),
            tf.debugging.Assert(header.height * header.width <= MAX_PIXELS, ["too many pixels"]),
        ]
    ):
        encoded = tf.identity(encoded)
    may_be_transparent = (header.kind == PNG) & (header.depth >= 3)
    pixels = tf.case(
        [(header.kind == JPEG, lambda: _jpeg(encoded, header, size)), (may_be_transparent, lambda: _on_white(encoded))],
        default=lambda: _opaque(encoded),
    )
    return tf.ensure_shape(_upright(_resize(pixels, size), header), [size, size, 3])


def _jpeg(encoded: tf.Tensor, header: ImageHeader, size: int) -> tf.Tensor:
    """Returns uint8 [height / n, width / n, 3] with n of 1, 2, 4 or 8, the largest that leaves `size` both ways.

    JPEG holds blocks of 8 x 8 frequencies; leaving out the high ones decodes a smaller photo, in less time and memory.
    """
    times = tf.minimum(header.height, header.width) // size
    halvings = tf.reduce_sum(tf.cast(times >= [2, 4, 8], tf.int32))
    # TensorFlow's usual inverse transform is off by up to 9 levels of 255; the accurate one takes no longer.
    decode = functools.partial(tf.io.decode_jpeg, encoded, channels=3, dct_method="INTEGER_ACCURATE")
    pixels = tf.switch_case(halvings, [functools.partial(decode, ratio=n) for n in (1, 2, 4, 8)])
    n = tf.bitwise.left_shift(tf.constant(1, tf.int64), tf.cast(halvings, tf.int64))
    # The last row and column may stand for fewer than n pixels; they go when it is less than half.
    return pixels[: (header.height + n // 2) // n, : (header.width + n // 2) // n]


def _resize(pixels: tf.Tensor, size: int) -> tf.Tensor:
    """Returns uint8 [size, size, 3] of a photo (uint8 [height, width, 3])."""
    # Antialiasing widens the triangle of weights by the factor of shrinking: nothing when a photo grows, almost nothing
    # up to 1.25, and twice the time.
    much = tf.reduce_any(4 * tf.shape(pixels)[:2] > 5 * size)
    smooth, plain = (lambda on=on: tf.image.resize(pixels, [size, size], antialias=on) for on in (True, False))
    return tf.cast(tf.cond(much, smooth, plain) + 0.5, tf.uint8)  # a weighted mean: within 0-255


def _opaque(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels=3, expand_animations=False)  # [height, width, 3]


def _on_white(encoded: tf.Tensor) -> tf.Tensor:
    decoded = tf.cast(tf.io.decode_png(encoded, channels=4), tf.float32)  # [height, width, 4]
    alpha = decoded[..., 3:]
    return tf.cast(tf.round((decoded[..., :3] * alpha + 255.0 * (255.0 - alpha)) / 255.0), tf.uint8)


def _upright(pixels: tf.Tensor, header: ImageHeader) -> tf.Tensor:
    """Undoes the EXIF orientation of a square photo [S, S, 3]: transposes 5-8, then mirrors and flips."""

    def turned():
        orientation = header.orientation
        out = tf.cond(orientation >= 5, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
        mirror = tf.reduce_any(orientation == [2, 3, 6, 7])
        out = tf.cond(mirror, lambda: tf.reverse(out, [1]), lambda: out)
        flip = tf.reduce_any(orientation == [3, 4, 7, 8])
        return tf.cond(flip, lambda: tf.reverse(out, [0]), lambda: out)

    return tf.cond(header.orientation > 1, turned, lambda: pixels)
