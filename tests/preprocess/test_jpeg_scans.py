"""A JPEG of too many scans is refused before it is decoded."""

import struct

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.preprocess.images import decode_images
from mmrec.preprocess.jpeg import scans_and_head
from tests.preprocess.photo_files import encode, exif, scene

count = tf.function(lambda file: scans_and_head(file)[0], input_signature=[tf.TensorSpec([], tf.string)])


def progressive(scans):
    """Returns a progressive JPEG of at least 10 scans, the last of them repeated."""
    file = encode(scene(), "JPEG", progressive=True)
    starts = [at for at in range(len(file)) if file[at : at + 2] == b"\xff\xda"]
    last = file[starts[-1] : -2]
    return file[:-2] + last * (scans - len(starts)) + file[-2:]


@pytest.mark.parametrize(("scans", "counted"), [(10, 10), (100, 100), (101, 101), (3000, 101)])
def test_the_scans_of_a_progressive_photo_are_counted_up_to_one_too_many(scans, counted):
    assert count(progressive(scans)) == counted


def test_a_photo_of_100_scans_is_read_and_one_of_101_is_not():
    files = [progressive(100), progressive(101), progressive(100)]
    assert decode_images(tf.constant(files), 8)[1].numpy().tolist() == [True, False, True]


def test_what_only_looks_like_scans_is_no_fault():
    photo = encode(scene(), "JPEG")
    attached = photo + b"\xff\xda\0\1" * 500  # behind its end, as a film is
    segment = b"\xff\xe5" + struct.pack(">H", 2 + 4 * 500) + b"\xff\xda\0\1" * 500  # in data of its own
    inside = photo[:2] + segment + photo[2:]
    pixels, readable = decode_images(tf.constant([photo, attached, inside]), 8)
    assert readable.numpy().tolist() == [True, True, True]
    np.testing.assert_array_equal(pixels[0], pixels[1])
    np.testing.assert_array_equal(pixels[0], pixels[2])
    assert [int(count(file)) for file in (photo, attached, inside)] == [1, 1, 1]


def test_a_comment_that_looks_like_the_end_hides_no_scan():
    comment = b"\xff\xfe" + struct.pack(">H", 2 + 6) + b"\xff\xd9\xff\xd9\xff\xd9"
    file = progressive(3000)
    second = file.index(b"\xff\xda", file.index(b"\xff\xda") + 2)
    start = max(file.rfind(marker, 0, second) for marker in (b"\xff\xc4", b"\xff\xda"))  # its tables come before it
    assert count(file[:start] + comment + file[start:]) == 101


def test_a_preview_may_be_counted_and_never_hides_the_orientation():
    preview = exif(6) + encode(Image.fromarray(scene()[:10, :10]), "JPEG")
    file = encode(scene(), "JPEG", exif=preview)
    assert count(file) == 2
    plain, turned = decode_images(tf.constant([encode(scene(), "JPEG"), file]), 8)[0].numpy()
    assert np.abs(np.rot90(plain, -1).astype(int) - turned).max() <= 2
