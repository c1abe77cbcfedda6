"""Reads EXIF data and the number of scans from a JPEG."""

from __future__ import annotations

import tensorflow as tf

from mmrec.preprocess.file_bytes import big, is_name, read_bytes
from mmrec.preprocess.seldom import seldom

MAX_SCANS = 100
"""How often a JPEG may go over its pixels; one that does more often is unreadable."""

_EXIF, _SCAN = b"Exif\0\0", b"\xff\xda"
_BEGIN, _END, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_MOST_SEGMENTS = 4096  # gone through before a file is given up
_SEGMENT = 2**16  # bytes of a segment at most


def jpeg_exif(encoded: tf.Tensor) -> tf.Tensor:
    """Returns string []: what stands in a JPEG (string []) from its EXIF data on; "" where it has none."""

    def is_exif(segment):
        return is_name(segment[:2], b"\xff\xe1") & is_name(segment[4:], _EXIF)

    def goes_on(_, segment):
        # What describes the photo stands before it, in APP0-APP15; comments stand there, too. 0xFF may be repeated.
        describes = ((segment[1] >= 0xE0) & (segment[1] <= 0xEF)) | (segment[1] == 0xFE) | (segment[1] == 0xFF)
        return (segment[0] == 0xFF) & describes & ~is_exif(segment)

    def following(at, segment):
        at += tf.where(segment[1] == 0xFF, tf.ones_like(at), 2 + tf.maximum(big(segment[2:4]), 2))  # it counts itself
        return at, read_bytes(encoded, at, 10)

    first = tf.constant(2, tf.int64)
    at, segment = tf.while_loop(
        goes_on, following, (first, read_bytes(encoded, first, 10)), maximum_iterations=_MOST_SEGMENTS
    )
    return tf.cond(
        is_exif(segment),
        lambda: tf.strings.substr(encoded, at + 10, tf.constant(_SEGMENT, tf.int64)),
        lambda: tf.constant(b""),
    )


def scans_and_head(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Counts how often a JPEG goes over its pixels.

    Args:
      encoded: string [], its bytes.

    Returns:
      int64 [], at most `MAX_SCANS + 1`. It is above `MAX_SCANS` only where that many scans are there; below, it may
      count what only looks like the start of one, such as that of a preview.
      string [], what stands before the first.
    """
    pieces = tf.raw_ops.StringSplitV2(input=[encoded], sep=_SCAN, maxsplit=MAX_SCANS + 1).values
    alike = tf.size(pieces, tf.int64) - 1
    return tf.cond(alike > MAX_SCANS, lambda: _walked_scans(encoded), lambda: alike), pieces[0]


@seldom(tf.TensorSpec([], tf.string))
def _walked_scans(encoded: tf.Tensor) -> tf.Tensor:
    """Follows the segments to the end of the photo, whatever is attached to it, or to the one after `MAX_SCANS`."""
    data = tf.io.decode_raw(encoded, tf.uint8)
    place = tf.where(data[:-1] == 0xFF)[:, 0]
    following = tf.gather(data, place + 1)
    # Within a scan, 0xFF stands before 0 (a value), before the numbers of restarts, and before the next segment.
    is_marker = (following != 0) & (following != 0xFF) & ~((following >= 0xD0) & (following <= 0xD7))
    place, kind = tf.boolean_mask(place, is_marker), tf.cast(tf.boolean_mask(following, is_marker), tf.int64)

    def goes_on(number, scans):
        return (number < tf.size(place)) & (scans <= MAX_SCANS)

    def next_marker(number, scans):
        at, code = place[number], kind[number]
        length = tf.where(code == _BEGIN, tf.zeros_like(at), big(read_bytes(encoded, at + 2, 2)))
        later = tf.searchsorted(place, [at + 2 + length])[0]
        number = tf.where(code == _END, tf.size(place), tf.maximum(later, number + 1))
        return number, scans + tf.cast(code == _START_OF_SCAN, tf.int64)

    start = (tf.constant(0), tf.zeros([], tf.int64))
    number, scans = tf.while_loop(goes_on, next_marker, start, maximum_iterations=_MOST_SEGMENTS)
    return tf.where(number < tf.size(place), tf.constant(MAX_SCANS + 1, tf.int64), scans)
