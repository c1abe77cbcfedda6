"""Photos of every format, depth and mode look as Pillow shows them: upright, on white."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.preprocess.images import decode_images
from mmrec.preprocess.transcode import graph_readable
from tests.preprocess.photo_files import (
    as_pillow_shows,
    bmp,
    encode,
    exif,
    gif,
    gif_frame,
    png,
    png_chunk,
    scene,
    transparent,
    xmp,
)

SIZE, MOST = 64, 8
graph = tf.function(lambda files: decode_images(files, SIZE), input_signature=[tf.TensorSpec([None], tf.string)])


def assert_alike(files, expected=None):
    """Compares files (name -> bytes) with what Pillow shows of them, or of those expected under the same names."""
    pixels, readable = graph(tf.constant([graph_readable(file) for file in files.values()]))
    differ = {}
    for name, seen, ok in zip(files, pixels.numpy().astype(int), readable.numpy(), strict=True):
        differ[name] = np.abs(seen - as_pillow_shows((expected or files)[name])).mean() if ok else 255
    assert len(files) > 1
    assert {name: difference for name, difference in differ.items() if difference > MOST} == {}


def palette(colours, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (colours, 3), np.uint8)


def places(colours, height=45, width=70):
    """Returns ints [height, width]: places in a palette, each in a square."""
    down, right = np.mgrid[0:height, 0:width]
    return (down // 9 + 3 * (right // 10)) % colours


def grey(depth):
    return scene().astype(int)[..., 0] * (2**depth - 1) // 255


def test_png_of_every_kind_and_depth():
    files = {}
    alpha = scene()[..., 1:2]
    for interlaced in (False, True):
        for depth in (1, 2, 4, 8, 16):
            files["grey", depth, interlaced] = png(grey(depth), 0, depth, interlaced=interlaced)
        for depth in (8, 16):
            colour = scene().astype(int) * (2**depth - 1) // 255
            opacity = alpha.astype(int) * (2**depth - 1) // 255
            files["rgb", depth, interlaced] = png(colour, 2, depth, interlaced=interlaced)
            both = np.concatenate([colour[..., :1], opacity], axis=2)
            files["grey and alpha", depth, interlaced] = png(both, 4, depth, interlaced=interlaced)
            both = np.concatenate([colour, opacity], axis=2)
            files["rgb and alpha", depth, interlaced] = png(both, 6, depth, interlaced=interlaced)
        for depth in (1, 2, 4, 8):
            options = {"palette": palette(2**depth, depth), "interlaced": interlaced}
            files["palette", depth, interlaced] = png(places(2**depth), 3, depth, **options)
            key = bytes([0, 100])
            files["palette and alpha", depth, interlaced] = png(places(2**depth), 3, depth, key=key, **options)
    assert_alike(files)


def test_png_with_a_transparent_colour():
    files = {}
    for interlaced in (False, True):
        for depth in (1, 2, 4, 8):
            values = np.where(grey(depth) > 2**depth // 2, 0, grey(depth))
            files["grey", depth, interlaced] = png(values, 0, depth, key=struct.pack(">H", 0), interlaced=interlaced)
        for depth in (8, 16):
            values = scene().astype(int) * (2**depth - 1) // 255
            values[20:, 30:] = 0
            files["rgb", depth, interlaced] = png(values, 2, depth, key=bytes(6), interlaced=interlaced)
    assert_alike(files)


def test_png_with_a_key_that_cannot_be_is_opaque():
    values = places(4)
    for key in (b"", bytes(5)):  # none, and more than the palette has
        file = png(values, 3, 2, palette=palette(4), key=key)
        plain = png(values, 3, 2, palette=palette(4))
        image = graph(tf.constant([file, plain]))[0].numpy()
        np.testing.assert_array_equal(image[0], image[1])


@pytest.mark.parametrize("where", ["before", "after"])
def test_png_is_turned_upright(where):
    itxt = b"XML:com.adobe.xmp" + bytes(5)
    element = "<tiff:Orientation>{}</tiff:Orientation>"
    files = {}
    for way in range(1, 9):
        for order in "<>":
            files["exif", way, order] = png(scene(), 2, 8, **{where: png_chunk(b"eXIf", exif(way, order)[6:])})
        files["long", way] = png(scene(), 2, 8, **{where: png_chunk(b"eXIf", exif(way, kind=4)[6:])})
        files["exif of a jpeg", way] = png(scene(), 2, 8, **{where: png_chunk(b"eXIf", exif(way))})
        files["xmp", way] = png(scene(), 2, 8, **{where: png_chunk(b"iTXt", itxt + xmp(way))})
        files["xmp element", way] = png(scene(), 2, 8, **{where: png_chunk(b"iTXt", itxt + xmp(way, element))})
        exif_first = png_chunk(b"eXIf", exif(way)[6:]) + png_chunk(b"iTXt", itxt + xmp(3))
        files["exif before xmp", way] = png(scene(), 2, 8, **{where: exif_first})
    assert_alike(files)


def test_jpeg_is_turned_upright():
    files = {}
    for way in range(1, 9):
        for order in "<>":
            files["exif", way, order] = encode(scene(), "JPEG", exif=exif(way, order))
        files["long", way] = encode(scene(), "JPEG", exif=exif(way, ">", kind=4))
        files["xmp", way] = encode(scene(), "JPEG", xmp=xmp(way))
        late = encode(scene(), "JPEG", exif=exif(way))  # behind so much else that it stands late
        files["late exif", way] = late[:2] + 5 * (b"\xff\xed\xff\xff" + bytes(65533)) + b"\xff" + late[2:]
    assert_alike(files)


def test_jpeg_of_every_mode():
    photo = Image.fromarray(scene())
    files = {}
    for progressive in (False, True):
        for mode in ("L", "RGB", "CMYK"):
            files[mode, progressive] = encode(photo.convert(mode), "JPEG", progressive=progressive)
        for subsampling in (0, 1, 2):
            files["subsampling", subsampling, progressive] = encode(photo, "JPEG", subsampling=subsampling)
    files["restarts"] = encode(photo, "JPEG", restart_marker_blocks=1)
    files["rgb without change"] = encode(photo, "JPEG", keep_rgb=True)
    cmyk = encode(photo.convert("CMYK"), "JPEG")
    at = cmyk.index(b"Adobe") + 11  # 0: CMYK as it is, 2: as YCCK
    ycck = bytes([*cmyk[:at], 2, *cmyk[at + 1 :]])
    files["ycck"] = ycck
    assert_alike(files)


def test_gif_with_frames_palettes_and_transparency_of_every_kind():
    many, few = palette(256), palette(4, 1)
    comment, empty = b"!\xfe\x03abc\0", b"!\xfe\0"
    whole, small = gif_frame(places(16)), gif_frame(places(16, 20, 30), corner=(25, 15))
    files = {
        "plain": gif(whole, size=(70, 45), palette=many),
        "few colours": gif(gif_frame(places(4)), size=(70, 45), palette=few),
        "own palette": gif(gif_frame(places(16), palette=many), size=(70, 45), palette=few),
        "only its own palette": gif(gif_frame(places(16), palette=many), size=(70, 45)),
        "no palette": gif(gif_frame(places(256)), size=(70, 45)),
        "interlaced": gif(gif_frame(grey(6), interlaced=True), size=(70, 45), palette=many),
        "transparent": gif(transparent(3), whole, size=(70, 45), palette=many),
        "transparent in its own palette": gif(
            transparent(2), gif_frame(places(4), palette=few), size=(70, 45), palette=many
        ),
        "transparent and interlaced": gif(
            transparent(0), gif_frame(places(16), interlaced=True), size=(70, 45), palette=many
        ),
        "offset": gif(small, size=(70, 45), palette=many),
        "offset and transparent": gif(transparent(3), small, size=(70, 45), palette=many),
        "over the edge": gif(gif_frame(places(16), corner=(25, 15)), size=(70, 45), palette=many),
        "comment": gif(comment, transparent(3), whole, size=(70, 45), palette=many),
        "empty comment": gif(empty, whole, size=(70, 45), palette=many),
        "empty comment behind": gif(transparent(3), empty, whole, empty, size=(70, 45), palette=many),
        "stray zeros": gif(comment, bytes(3), whole, size=(70, 45), palette=many),
        "more frames": gif(transparent(3), whole, transparent(1), small, size=(70, 45), palette=many),
        "no end": gif(whole, size=(70, 45), palette=many)[:-1],
        "something behind": gif(whole, size=(70, 45), palette=many) + b"behind",
    }
    assert_alike(files)


def test_a_gif_colour_that_the_palette_lacks_is_grey():
    assert_alike({colours: gif(gif_frame(places(colours)), size=(70, 45), palette=palette(4)) for colours in (8, 16)})


def test_bmp_of_every_depth():
    files = {}
    colour = scene().astype(int)
    rgb = (colour << [16, 8, 0]).sum(axis=2)
    for top_down in (False, True):
        for bits in (1, 4, 8):
            values = places(2**bits)
            files[bits, top_down] = bmp(values, bits, palette=palette(2**bits, bits), top_down=top_down)
            if not top_down:
                files[bits, "old"] = bmp(values, bits, palette=palette(2**bits, bits), header=12)
        for header in (40, 108, 124):
            files[24, header, top_down] = bmp(rgb, 24, header=header, top_down=top_down)
            files[32, header, top_down] = bmp(rgb, 32, header=header, top_down=top_down)
            files[16, header, top_down] = bmp((colour >> 3 << [10, 5, 0]).sum(axis=2), 16, header=header)
    files["old"] = bmp(rgb, 24, header=12)
    files["trailing"] = bmp(rgb, 24, trailing=b"behind")
    files["few colours trailing"] = bmp(places(16), 4, palette=palette(16), trailing=bytes(9))
    pillow = Image.fromarray(scene())
    files |= {mode: encode(pillow.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB")}
    assert_alike(files)


def test_bmp_with_bit_fields():
    colour = scene().astype(int)
    clear = np.concatenate([colour, np.mgrid[0:45, 0:70][1][..., np.newaxis] * 255 // 70], axis=2)
    files, expected = {}, {}
    for header in (40, 52, 56, 108, 124):
        for green in (5, 6):
            masks = (31 << 5 + green, (2**green - 1) << 5, 31)
            cut = colour >> [3, 8 - green, 3] << [5 + green, 5, 0]
            files[16, green, header] = bmp(cut.sum(axis=2), 16, masks, header)
        for shifts in ([16, 8, 0], [24, 16, 8], [0, 8, 16], [8, 0, 24]):
            masks = tuple(255 << shift for shift in shifts)
            files[32, *shifts, header] = bmp((colour << shifts).sum(axis=2), 32, masks, header)
        files[24, header] = bmp((colour << [0, 8, 16]).sum(axis=2), 24, (255, 255 << 8, 255 << 16), header)
        ten = bmp((colour << [22, 12, 2]).sum(axis=2), 32, (1023 << 20, 1023 << 10, 1023), header)
        files["ten bits", header] = ten
    expected = dict.fromkeys(files, encode(scene(), "PNG"))
    for header in (56, 108, 124):
        for shifts in ([24, 16, 8, 0], [0, 8, 16, 24], [16, 8, 0, 24]):
            masks = tuple(255 << shift for shift in shifts)
            files["alpha", *shifts, header] = bmp((clear << shifts).sum(axis=2), 32, masks, header)
            expected["alpha", *shifts, header] = encode(clear.astype(np.uint8), "PNG")
    assert_alike(files, expected)


def test_other_formats_by_way_of_a_transcoded_photo():
    photo = Image.fromarray(scene())
    alpha = Image.fromarray(np.ascontiguousarray(scene()[..., 1]))
    clear = photo.copy()
    clear.putalpha(alpha)
    files = {}
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16"):
        image = Image.fromarray(grey(16).astype(np.uint16)) if mode == "I;16" else clear.convert("RGB").convert(mode)
        files["TIFF", mode] = encode(clear.convert(mode) if "A" in mode and mode != "LAB" else image, "TIFF")
    for kind, options in (("WEBP", {"lossless": True}), ("WEBP", {"quality": 90}), ("AVIF", {}), ("JPEG2000", {})):
        files[kind, str(options), "rgb"] = encode(photo, kind, **options)
        files[kind, str(options), "alpha"] = encode(clear, kind, **options)
        if kind != "JPEG2000":
            for way in range(1, 9):
                files[kind, str(options), way] = encode(photo, kind, exif=exif(way)[6:], **options)
    for way in range(1, 9):
        files["TIFF", way] = encode(photo, "TIFF", tiffinfo={274: way})
    for mode in ("1", "L", "RGB", "I;16"):
        image = Image.fromarray(grey(16).astype(np.uint16)) if mode == "I;16" else photo.convert(mode)
        files["PPM", mode] = encode(image, "PPM")
    files["JPEG2000", "grey"] = encode(photo.convert("L"), "JPEG2000")
    assert_alike(files)
