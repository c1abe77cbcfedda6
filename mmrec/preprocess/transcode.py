"""Converts photos in formats that the graph cannot decode to PNG."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from mmrec.preprocess.images import MAX_PIXELS

_READ_ANYWHERE = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")  # how JPEG, PNG and GIF begin
_FORMATS = ("WEBP", "AVIF", "TIFF", "BMP", "JPEG2000", "PPM")  # named, since some of Pillow's start other programs
_EIGHT_BITS = ("1", "L", "P", "LA", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LONGEST = 2048  # pixels of the shorter side above which a photo may be halved: twice the largest size that is read

_stderr = threading.Lock()


def graph_readable(encoded: bytes, max_pixels: int = MAX_PIXELS) -> bytes:
    """Returns a photo as the graph reads it.

    WebP, AVIF, TIFF, JPEG 2000, PPM and BMP of up to 16 bits become a PNG of the same pixels, upright, 16 bits cut to
    8; if a file has several pictures, the first. Only a photo with sides of at least 4,096 pixels is made smaller, to
    sides of at least 2,048. All else, too large and broken photos included, stays as it is: the graph then judges it.

    Args:
      encoded: content of a file.
      max_pixels: width times height above which a photo is unreadable.

    Returns:
      Content of a file: the PNG, or `encoded` as it is.
    """
    if not encoded or encoded.startswith(_READ_ANYWHERE) or _bits_of_bmp(encoded) > 16:
        return encoded
    with warnings.catch_warnings(), _quiet() if encoded.startswith(_TIFF) else contextlib.nullcontext():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes below the limit
        try:
            with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
                return encoded if image.width * image.height > max_pixels else _as_png(image) or encoded
        except Exception:  # Pillow's plugins raise what they like on broken files
            return encoded


def _as_png(image: Image.Image) -> bytes | None:
    """Returns a photo as PNG; None for pixels whose range is unknown."""
    has_16_bits = image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")
    if not has_16_bits and image.mode not in _EIGHT_BITS:
        return None
    ImageOps.exif_transpose(image, in_place=True)
    if has_16_bits:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    times = min(image.size) // _LONGEST
    if times > 1:  # what is transparent has no part in the mean
        image = image.convert("RGBa").reduce(times).convert("RGBA") if mode == "RGBA" else image.reduce(times)
    written = io.BytesIO()
    image.save(written, "PNG", compress_level=1)
    return written.getvalue()


def _bits_of_bmp(encoded: bytes) -> int:
    """Returns the bits per pixel of a BMP; 0 of what is none."""
    return struct.unpack_from("<H", encoded, 28)[0] if encoded[:2] == b"BM" and len(encoded) >= 30 else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences libtiff, which writes to the terminal about broken files without going through Python."""
    with _stderr, open(os.devnull, "wb") as nowhere:
        kept = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
