import functools
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.preprocess.images import decode_images
from tests.preprocess.photo_files import bmp, encode, exif, gif, gif_frame, png_chunk, transparent

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def plain(mode="RGB", colour=(200, 100, 50), size=(40, 20)):
    return Image.new(mode, size, colour)


def quarters():
    """Returns a 40 x 24 photo: red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (40, 24), RED)
    image.paste(GREEN, (20, 0, 40, 12))
    image.paste(BLUE, (0, 12, 20, 24))
    image.paste(WHITE, (20, 12, 40, 24))
    return image


def png_of_zeros(width, height):
    """Returns a valid 1-bit PNG of any size, which compresses to almost nothing."""
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 1)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


@functools.cache
def decoder(size):  # traced once per size: an eager call traces anew each time
    return tf.function(lambda encoded: decode_images(encoded, size), input_signature=[tf.TensorSpec([None], tf.string)])


def decode(*files, size=8):
    pixels, readable = decoder(size)(tf.constant(list(files), tf.string))
    return pixels.numpy(), readable.numpy().tolist()


def noise(seed, size=(50, 30)):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8))


def mixed_files():
    jpeg = encode(noise(1), "JPEG", exif=exif(6))
    return [jpeg, b"", encode(noise(2), "PNG"), jpeg[: len(jpeg) // 2], b"text", encode(noise(3), "GIF")]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (encode(plain(), "JPEG"), (200, 100, 50)),
        (encode(plain(), "JPEG", progressive=True), (200, 100, 50)),
        (encode(plain("L", 90), "JPEG"), (90, 90, 90)),
        (encode(plain("CMYK", (0, 255, 0, 0)), "JPEG"), (255, 0, 255)),
        (encode(plain(), "PNG"), (200, 100, 50)),
        (encode(plain("L", 90), "PNG"), (90, 90, 90)),
        (encode(plain("1", 1), "PNG"), (255, 255, 255)),
        (encode(plain("P", 0).convert("RGB").convert("P"), "PNG"), (0, 0, 0)),
        (encode(plain("I;16", 0x8000), "PNG"), (128, 128, 128)),
        (encode(plain(), "GIF"), (200, 100, 50)),
        (encode(plain(), "BMP"), (200, 100, 50)),
        (encode(plain("RGBA", (200, 100, 50, 0)), "BMP"), (200, 100, 50)),
        (encode(plain(size=(1, 1)), "PNG"), (200, 100, 50)),
    ],
    ids=[
        "jpeg",
        "progressive",
        "grey_jpeg",
        "cmyk",
        "png",
        "grey_png",
        "1_bit",
        "palette",
        "16_bit",
        "gif",
        "bmp",
        "bmp_32",
        "1x1",
    ],
)
def test_a_photo_of_one_colour_keeps_it_in_every_format(file, expected):
    pixels, readable = decode(file)
    assert readable == [True]
    assert np.abs(pixels[0].astype(int) - expected).max() <= 2


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((10, 20, 30, 0), (255, 255, 255)),
        ((10, 20, 30, 255), (10, 20, 30)),
        ((0, 100, 255, 51), (204, 224, 255)),  # one part colour, four parts white
    ],
)
def test_transparency_shows_white(colour, expected):
    pixels, _ = decode(encode(plain("RGBA", colour), "PNG"))
    assert (pixels[0] == expected).all()


def test_a_transparent_palette_entry_and_grey_with_alpha_show_white():
    palette = encode(plain().quantize(4), "PNG", transparency=0)
    grey = encode(plain("LA", (0, 0)), "PNG")
    pixels, readable = decode(palette, grey)
    assert readable == [True, True]
    assert (pixels == 255).all()


def test_only_the_first_frame_of_an_animation_is_read():
    file = encode(plain(colour=RED), "GIF", save_all=True, append_images=[plain(colour=BLUE)])
    pixels, _ = decode(file)
    assert (pixels[0] == RED).all()


def test_shrinking_weighs_every_pixel_and_rounds():
    # Four columns 0, 0, 100, 100 to two: triangle weights .75, .75, .25, 0 over 1.75, so 14.29 and 85.71.
    columns = np.repeat(np.array([[0, 0, 100, 100]], np.uint8), 4, axis=0)
    pixels, _ = decode(encode(Image.fromarray(columns), "PNG"), size=2)
    assert pixels[0, :, :, 0].tolist() == [[14, 86], [14, 86]]


@pytest.mark.parametrize("side", [8, 9, 10, 11, 15, 16, 31, 33, 65, 150])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_slope_stays_one_whatever_it_is_shrunk_by(side, kind):
    slope = np.repeat(np.linspace(0, 255, side)[np.newaxis, :, np.newaxis], side, axis=0)
    photo = Image.fromarray(np.repeat(slope, 3, axis=2).round().astype(np.uint8))
    pixels, _ = decode(encode(photo, kind, quality=95), size=8)
    middles = 255 * np.clip((np.arange(8) + 0.5) * side / 8 - 0.5, 0, side - 1) / (side - 1)
    assert np.abs(pixels[0, 4, 1:7, 0] - middles[1:7]).max() < 8  # a pixel's slope of 8 is 32


def test_a_large_jpeg_is_almost_what_full_decoding_gives():
    waves = np.sin(np.arange(400) / 12)[:, np.newaxis] * np.sin(np.arange(300) / 9)
    photo = Image.fromarray((127.5 + 127.5 * waves).round().astype(np.uint8))
    (jpeg, png), _ = decode(encode(photo, "JPEG", quality=95), encode(photo, "PNG"), size=64)
    assert np.abs(jpeg.astype(int) - png).mean() < 2


@pytest.mark.parametrize("order", ["<", ">"], ids=["intel", "motorola"])
@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
        (0, [RED, GREEN, BLUE, WHITE]),
        (9, [RED, GREEN, BLUE, WHITE]),
    ],
)
def test_a_jpeg_is_turned_upright(orientation, corners, order):
    file = encode(quarters(), "JPEG", quality=95, subsampling=0, exif=exif(orientation, order))
    pixels, _ = decode(file, size=8)
    image = pixels[0][[0, 0, -1, -1], [0, -1, 0, -1]].astype(int)
    assert np.abs(image - corners).max() <= 6


@pytest.mark.parametrize(
    "damaged",
    [
        exif(6)[:6],
        exif(6)[:12],
        exif(6)[:20],
        b"Exif\0\0II" + b"\xff" * 12,
        exif(6, tag=0x0113),
        b"http://ns.adobe.com",
    ],
    ids=["empty", "no_directory", "cut", "far_directory", "other_tag", "no_exif"],
)
def test_damaged_exif_leaves_the_photo_as_stored(damaged):
    file = encode(quarters(), "JPEG", quality=95, subsampling=0, exif=damaged)
    pixels, readable = decode(file, size=8)
    assert readable == [True]
    assert np.abs(pixels[0, 0, 0].astype(int) - RED).max() <= 6


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\0",
        b"not a photo",
        b"\xff\xd8\xff",
        encode(plain(), "JPEG")[:-200],
        encode(noise(0), "PNG")[:-100],
        encode(plain(), "BMP")[:-100],
        b"GIF89a" + bytes(20),
        encode(noise(0), "GIF")[:-900],
        encode(noise(0), "GIF").replace(b"\x2c\0\0\0\0", b"\x21\0\0\0\0"),
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        bmp(np.zeros((20, 40), int), 8).replace(struct.pack("<HHI", 1, 8, 0), struct.pack("<HHI", 1, 8, 1)),
        encode(plain(), "WEBP"),
        encode(plain(), "TIFF"),
    ],
    ids=[
        "empty",
        "byte",
        "text",
        "jpeg_start",
        "jpeg_cut",
        "png_cut",
        "bmp_cut",
        "gif_zeros",
        "gif_cut",
        "gif_frameless",
        "png_zeros",
        "bmp_run_lengths",
        "webp",
        "tiff",
    ],
)
def test_a_bad_photo_fails_alone(file):
    good = encode(plain(), "PNG")
    pixels, readable = decode(good, file, good)
    assert readable == [True, False, True]
    assert (pixels[1] == 0).all()
    assert (pixels[[0, 2]] == (200, 100, 50)).all()


def test_a_photo_with_too_many_pixels_is_refused():
    bomb = png_of_zeros(20000, 20000)
    jpeg = encode(plain(), "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    jpeg = jpeg[: frame + 5] + struct.pack(">HH", 20000, 20000) + jpeg[frame + 9 :]
    assert decode(bomb, png_of_zeros(80, 80), jpeg)[1] == [False, True, False]


@pytest.mark.parametrize("frame", [0, 1], ids=["first", "second"])
def test_a_gif_frame_larger_than_its_canvas_never_gets_room(frame):
    file = encode(plain(colour=RED), "GIF", save_all=True, append_images=[plain(colour=BLUE)])
    at = -1
    for _ in range(frame + 1):
        at = file.index(b"\x2c\0\0\0\0", at + 1)
    liar = file[: at + 5] + struct.pack("<HH", 60000, 60000) + file[at + 9 :]
    pixels, readable = decode(liar)
    assert readable == [frame == 1]
    assert (pixels[0] == ((0, 0, 0) if frame == 0 else RED)).all()


@pytest.mark.parametrize(("before", "around"), [(b"", GREEN), (transparent(1), WHITE)], ids=["opaque", "transparent"])
def test_around_a_gif_frame_is_the_first_colour_or_what_is_transparent(before, around):
    colours = np.array([GREEN, BLUE, RED, RED], np.uint8)
    frame = gif_frame(np.full((8, 4), 2), corner=(8, 4))
    pixels, readable = decode(gif(before, frame, size=(16, 16), palette=colours), size=16)
    assert readable == [True]
    assert (pixels[0, 4:12, 8:12] == RED).all()
    outside = np.ones((16, 16), bool)
    outside[4:12, 8:12] = False
    assert (pixels[0, outside] == around).all()


@pytest.mark.parametrize(("limit", "readable"), [(800, True), (799, False)])
def test_the_limit_is_read_from_the_header_of_every_format(limit, readable):
    files = [encode(plain(size=(40, 20)), kind) for kind in ("JPEG", "PNG", "GIF", "BMP")]
    assert decode_images(tf.constant(files), 8, max_pixels=limit)[1].numpy().tolist() == [readable] * 4


def test_a_small_gif_frame_on_a_canvas_beyond_the_limit_is_refused():
    frame = gif_frame(np.zeros((4, 4), int))
    files = [gif(frame, size=(side, side), palette=np.zeros((2, 3), np.uint8)) for side in (20, 21)]
    assert decode_images(tf.constant(files), 8, max_pixels=400)[1].numpy().tolist() == [True, False]


def test_rows_keep_their_order_in_a_large_batch():
    colours = [(value, 255 - value, 7) for value in range(0, 250, 2)]
    pixels, readable = decode(*[encode(plain(colour=colour, size=(3, 3)), "PNG") for colour in colours], size=2)
    assert all(readable)
    assert pixels[:, 0, 0].tolist() == [list(colour) for colour in colours]


def test_no_photos_give_no_rows():
    pixels, readable = decoder(8)(tf.zeros([0], tf.string))
    assert pixels.shape == (0, 8, 8, 3)
    assert pixels.dtype == tf.uint8
    assert readable.shape == (0,)


def test_a_batch_of_only_bad_photos_is_all_zero():
    pixels, readable = decode(b"", b"text")
    assert readable == [False, False]
    assert (pixels == 0).all()


def test_eager_graph_single_rows_and_a_reloaded_export_agree_bit_for_bit(tmp_path):
    files = mixed_files()
    module = tf.Module()
    module.decode = decoder(8)
    tf.saved_model.save(module, str(tmp_path))
    reloaded = tf.saved_model.load(str(tmp_path))
    pixels, readable = decode_images(tf.constant(files), 8)
    assert readable.numpy().tolist() == [True, False, True, False, False, True]
    for decode_again in (module.decode, reloaded.decode):
        again = decode_again(tf.constant(files))
        np.testing.assert_array_equal(again[0], pixels)
        np.testing.assert_array_equal(again[1], readable)
        assert decode_again(tf.zeros([0], tf.string))[0].shape == (0, 8, 8, 3)
    alone = np.concatenate([decode(file)[0] for file in files])
    np.testing.assert_array_equal(alone, pixels)


def test_the_graph_holds_no_op_that_an_older_server_lacks():
    graph = decoder(8).get_concrete_function().graph.as_graph_def()
    ops = {
        node.op for part in (graph, *graph.library.function) for node in getattr(part, "node_def", None) or part.node
    }
    assert "DecodeImage" in ops
    assert not ops & {"PyFunc", "EagerPyFunc", "PyFuncStateless", "DecodeWebP"}
