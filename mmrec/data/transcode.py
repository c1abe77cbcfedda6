"""Photos in formats that the graph cannot decode, to PNG."""

from __future__ import annotations

import io
import struct

from PIL import Image, ImageOps

from mmrec.preprocess.images import MAX_PIXELS

_READ_ANYWHERE = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")  # how JPEG, PNG and GIF begin
_FORMATS = ("WEBP", "TIFF", "BMP", "JPEG2000", "PPM")  # named, since some of Pillow's formats start other programs
_EIGHT_BITS = ("1", "L", "P", "LA", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV")


def graph_readable(encoded: bytes) -> bytes:
    """Returns a photo as the graph reads it.

    WebP, TIFF, JPEG 2000, PPM and BMP of few colours become a lossless PNG of the same pixels, upright; of several
    pictures in a file the first. All else, photos of more than `MAX_PIXELS` and broken ones included, stays as it is:
    the graph then judges it.

    Args:
      encoded: content of a file.
    """
    if encoded.startswith(_READ_ANYWHERE) or _bits_of_bmp(encoded) >= 24:
        return encoded
    try:
        with Image.open(io.BytesIO(encoded), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS or image.mode not in _EIGHT_BITS:
                return encoded
            upright = ImageOps.exif_transpose(image)
            written = io.BytesIO()
            upright.convert("RGBA" if upright.has_transparency_data else "RGB").save(written, "PNG", compress_level=1)
            return written.getvalue()
    except Exception:  # Pillow's plugins raise what they like on broken files
        return encoded


def _bits_of_bmp(encoded: bytes) -> int:
    """Returns the bits per pixel of a BMP; 0 of what is none."""
    return struct.unpack_from("<H", encoded, 28)[0] if encoded[:2] == b"BM" and len(encoded) >= 30 else 0
