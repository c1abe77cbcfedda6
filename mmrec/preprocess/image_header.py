"""Reads a photo's format, size and orientation from its bytes, before anything is decoded."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmrec.preprocess.bmp import read_bmp_header
from mmrec.preprocess.exif import exif_orientation, xmp_orientation
from mmrec.preprocess.file_bytes import little, read_bytes
from mmrec.preprocess.jpeg import jpeg_exif, scans_and_head
from mmrec.preprocess.png import read_png_header

UNKNOWN, JPEG, PNG, GIF, BMP = range(5)
MAGIC = {JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n", GIF: b"GIF8", BMP: b"BM"}


class ImageHeader(NamedTuple):
    """A photo's properties, as its file states them; scalars.

    Attributes:
      kind: int32, one of `UNKNOWN`, `JPEG`, `PNG`, `GIF`, `BMP`.
      height: int64, pixels, as stored (before the orientation is applied).
      width: int64, pixels, as stored.
      orientation: int64 1-8, as in EXIF; 1 (upright) where none is given.
      transparent: bool, whether the decoder gives a meaningful alpha channel.
      scans: int64, how often a JPEG goes over its pixels, see `scans_and_head`; else 1.
    """

    kind: tf.Tensor
    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    transparent: tf.Tensor
    scans: tf.Tensor


def read_image_header(encoded: tf.Tensor) -> ImageHeader:
    """Reads the header of one photo; core ops only.

    Args:
      encoded: string [], the file's bytes.

    Returns:
      Its header. UNKNOWN, with the rest 0 or 1, for other formats, and for BMPs that are compressed or cut off.

    Raises:
      tf.errors.InvalidArgumentError: when a JPEG has no readable size.

    Source: PNG (ISO/IEC 15948), GIF89a, JPEG (ITU-T T.81).
    """
    kind = tf.constant(UNKNOWN)
    for code, magic in MAGIC.items():
        kind = tf.where(tf.strings.substr(encoded, 0, len(magic)) == magic, code, kind)
    zero, one, none = tf.zeros([], tf.int64), tf.ones([], tf.int64), tf.constant(b"")

    # Each gives kind, height, width, orientation, whether it is transparent, scans, EXIF data, and what XMP is in.
    def jpeg():
        height, width, _ = tf.unstack(tf.io.extract_jpeg_shape(encoded, tf.int64))
        scans, head = scans_and_head(encoded)
        return kind, height, width, one, False, scans, jpeg_exif(encoded), head

    def png():
        height, width, transparent, exif, text = read_png_header(encoded)
        return kind, height, width, one, transparent, one, exif, text

    def gif():
        size = read_bytes(encoded, 6, 4)
        return kind, little(size[2:]), little(size[:2]), one, False, one, none, none

    def bmp():
        stored = read_bmp_header(encoded)
        supported = tf.where(stored.readable, kind, UNKNOWN)
        return supported, stored.height, stored.width, stored.orientation, False, one, none, none

    readers = {
        JPEG: jpeg,
        PNG: png,
        GIF: gif,
        BMP: bmp,
        UNKNOWN: lambda: (kind, zero, zero, one, False, one, none, none),
    }
    *header, exif, text = tf.switch_case(kind, readers)
    header = ImageHeader(*header)
    orientation = tf.cond(exif == b"", lambda: zero, lambda: exif_orientation(exif))
    orientation = tf.cond((orientation > 0) | (text == b""), lambda: orientation, lambda: xmp_orientation(text))
    return header._replace(orientation=tf.where(orientation > 0, orientation, header.orientation))
