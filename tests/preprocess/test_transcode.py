import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.preprocess.images import decode_images
from mmrec.preprocess.transcode import graph_readable

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


def test_a_bmp_of_few_colours_is_transcoded_to_the_same_pixels_and_one_of_24_bits_is_not():
    few, many = encode("BMP", mode="P"), encode("BMP")
    assert graph_readable(few).startswith(b"\x89PNG")
    np.testing.assert_array_equal(seen(graph_readable(few)), seen(few))
    assert graph_readable(many) is many


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_what_the_graph_reads_stays_byte_by_byte(kind):
    encoded = encode(kind)
    assert graph_readable(encoded) is encoded


def test_transparency_is_kept_and_shown_on_white():
    pixels = np.concatenate([RAMP, np.full((8, 8, 1), 0, np.uint8)], axis=-1)
    pixels[:4, :, 3] = 255
    shown = seen(graph_readable(encode("WEBP", pixels, lossless=True, exact=True)))
    np.testing.assert_array_equal(shown[:4], RAMP[:4])
    assert (shown[4:] == 255).all()


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    shown = seen(graph_readable(encode("WEBP", lossless=True, exif=exif)))
    np.testing.assert_array_equal(shown, np.rot90(RAMP, -1))


def test_of_several_pictures_the_first_is_taken():
    encoded = encode("WEBP", save_all=True, append_images=[Image.fromarray(255 - RAMP)], lossless=True)
    np.testing.assert_array_equal(seen(graph_readable(encoded)), RAMP)


def test_what_is_broken_or_has_no_range_of_values_stays_as_it_is():
    unknown = [encode("TIFF", np.full((8, 8), 40_000, kind)) for kind in (np.int32, np.float32)]
    for encoded in (b"", b"BM", b"no photo", encode("WEBP")[:40], b"RIFF\0\0\0\0WEBP" + b"x" * 40, *unknown):
        assert graph_readable(encoded) is encoded


def test_of_16_bits_the_high_ones_are_kept():
    deep = encode("TIFF", np.full((8, 8), 40_000, np.uint16))
    assert (seen(graph_readable(deep)) == 156).all()  # 156 * 256 + 64


@pytest.mark.parametrize(("limit", "transcoded"), [(64, True), (63, False)])
@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "JPEG2000", "PPM"])
def test_a_photo_beyond_the_limit_stays_as_it_is(kind, limit, transcoded):
    encoded = encode(kind)
    assert (graph_readable(encoded, max_pixels=limit) is not encoded) == transcoded


def test_only_a_photo_of_more_than_4096_pixels_both_ways_is_made_smaller():
    def size(*shape):
        return Image.open(io.BytesIO(graph_readable(encode("PPM", np.zeros((*shape, 3), np.uint8))))).size

    assert size(4096, 4100) == (2050, 2048)
    assert size(4095, 4100) == (4100, 4095)


def test_what_is_transparent_has_no_part_in_a_smaller_photo():
    pixels = np.zeros((4096, 4096, 4), np.uint8)
    pixels[::2, ::2] = (200, 100, 50, 255)  # one of four pixels in each square, the others transparent black
    photo = Image.open(io.BytesIO(graph_readable(encode("TIFF", pixels))))
    assert photo.size == (2048, 2048)
    assert np.abs(np.asarray(photo)[5, 5].astype(int) - (200, 100, 50, 64)).max() <= 2


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "TIFF", "BMP", "JPEG2000", "PPM"])
def test_a_broken_photo_says_nothing_on_the_terminal(kind, capfd, recwarn):
    whole = encode(kind, mode="P" if kind == "BMP" else None, **({"compression": "jpeg"} if kind == "TIFF" else {}))
    for cut in (len(whole) - 20, len(whole) // 2):
        graph_readable(whole[:cut] + bytes(cut // 2))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
