import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.data import transcode
from mmrec.data.transcode import graph_readable
from mmrec.preprocess.images import decode_images

RAMP = np.stack(np.broadcast_arrays(*np.ogrid[0:128:16, 0:128:16], 40), axis=-1).astype(np.uint8)  # [8, 8, 3]


def encode(kind, pixels=RAMP, mode=None, **options):
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


graph = tf.function(decode_images)


def seen(encoded):
    """Returns the pixels as the graph sees them, or None."""
    pixels, readable = graph(tf.constant([encoded]), 8)
    return pixels[0].numpy() if readable[0] else None


@pytest.mark.parametrize(
    ("kind", "options"),
    [("WEBP", {"lossless": True}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("PPM", {})],
)
def test_other_formats_become_what_the_graph_reads_pixel_by_pixel(kind, options):
    encoded = encode(kind, **options)
    assert seen(encoded) is None
    np.testing.assert_array_equal(seen(graph_readable(encoded)), RAMP)


def test_a_lossy_photo_keeps_the_pixels_that_it_decodes_to():
    encoded = encode("WEBP", quality=30)
    decoded = np.asarray(Image.open(io.BytesIO(encoded)))
    assert not np.array_equal(decoded, RAMP)
    np.testing.assert_array_equal(seen(graph_readable(encoded)), decoded)


def test_a_bmp_of_few_colours_is_transcoded_and_one_of_24_bits_is_not():
    few, many = encode("BMP", mode="P"), encode("BMP")
    assert seen(few) is None
    assert seen(graph_readable(few)).shape == (8, 8, 3)
    assert graph_readable(many) is many


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_what_the_graph_reads_stays_byte_by_byte(kind):
    encoded = encode(kind)
    assert graph_readable(encoded) is encoded


def test_transparency_is_kept_and_shown_on_white():
    pixels = np.concatenate([RAMP, np.full((8, 8, 1), 0, np.uint8)], axis=-1)
    pixels[:4, :, 3] = 255
    found = seen(graph_readable(encode("WEBP", pixels, lossless=True, exact=True)))
    np.testing.assert_array_equal(found[:4], RAMP[:4])
    assert (found[4:] == 255).all()


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    found = seen(graph_readable(encode("WEBP", lossless=True, exif=exif)))
    np.testing.assert_array_equal(found, np.rot90(RAMP, -1))


def test_of_several_pictures_the_first_is_taken():
    encoded = encode("WEBP", save_all=True, append_images=[Image.fromarray(255 - RAMP)], lossless=True)
    np.testing.assert_array_equal(seen(graph_readable(encoded)), RAMP)


def test_what_is_broken_or_too_large_or_of_more_than_8_bits_stays_as_it_is(monkeypatch):
    deep = encode("TIFF", np.full((8, 8), 40_000, np.uint16))
    for encoded in (b"", b"BM", b"no photo", encode("WEBP")[:40], b"RIFF\0\0\0\0WEBP" + b"x" * 40, deep):
        assert graph_readable(encoded) is encoded
    monkeypatch.setattr(transcode, "MAX_PIXELS", 63)
    large = encode("TIFF")
    assert graph_readable(large) is large
