"""Memory that decoding a large photo takes beside its pixels."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from mmrec.preprocess.images import decode_images
from tests.preprocess.photo_files import png, png_chunk, scene


def palette_png(side):
    """Returns a PNG of one bit a pixel, with a palette and an alpha value, that is small for its size."""
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side, 1)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0)), (b"PLTE", bytes(6)), (b"tRNS", b"\x80")]
    chunks += [(b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.slow
def test_large_photos_keep_their_places_among_small_ones():
    small = [png(scene() // shade, 2, 8) for shade in (1, 2, 3)]
    files = [small[0], palette_png(3000), b"", small[1], palette_png(3000)[:-40], palette_png(3001), small[2]]
    pixels, readable = decode_images(tf.constant(files), 8)
    alone = np.concatenate([decode_images(tf.constant([file]), 8)[0] for file in files])
    assert readable.numpy().tolist() == [True, True, False, True, False, True, True]
    np.testing.assert_array_equal(pixels, alone)
    assert (pixels.numpy()[[1, 5]] == 127).all()  # black of alpha 128 on white


@pytest.mark.slow
def test_a_large_transparent_photo_takes_little_more_than_its_pixels_and_several_no_more_at_once(python, tmp_path):
    side = 6000
    (tmp_path / "large.png").write_bytes(palette_png(side))
    code = f"""
import re
import mmrec
import tensorflow as tf
from mmrec.preprocess.images import decode_images

def memory(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

decode = tf.function(lambda files: decode_images(files, 224), input_signature=[tf.TensorSpec([None], tf.string)])
file = open({str(tmp_path / "large.png")!r}, "rb").read()
decode(tf.constant([b"", file[:100]]))
before = memory("VmRSS")
for count in (1, 3):
    open("/proc/self/clear_refs", "w").write("5")
    assert decode(tf.constant([file] * count))[1].numpy().all()
    print(memory("VmHWM") - before)
"""
    status, out, errors = python(code, TF_ENABLE_ONEDNN_OPTS="0")  # without a pool of memory that is never given back
    assert status == 0, errors
    pixels = 4 * side**2
    one, three = map(int, out.split())
    assert pixels <= one < 2.5 * pixels
    assert three < 2.5 * pixels
