import struct

import numpy as np
import pytest
import tensorflow as tf

from mmrec.preprocess.audio import decode_audio
from mmrec.preprocess.wav import read_wav_header
from tests.preprocess.wav_files import EXTENSIBLE, FLOAT, chunk, form, riff, wav


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decode_millisecond(encoded):  # 8 samples
    return decode_audio(encoded, 8000, 0.001)


def decode(*files):
    samples, lengths, readable = decode_millisecond(tf.constant(list(files), tf.string))
    assert (samples.shape, samples.dtype, lengths.dtype) == ((len(files), 8), tf.float32, tf.int32)
    assert readable.numpy().tolist() == (lengths.numpy() > 0).tolist()
    return [row[:length].tolist() for row, length in zip(samples.numpy(), lengths.numpy(), strict=True)]


def integers(bits, *values):
    width = bits // 8
    return b"".join((value % 2**bits).to_bytes(width, "little") for value in values)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (riff(form(bits=8), chunk(b"data", bytes([0, 64, 128, 192]))), [-1.0, -0.5, 0.0, 0.5]),
        (wav([-32768, -16384, 0, 16384]), [-1.0, -0.5, 0.0, 0.5]),
        (riff(form(bits=24), chunk(b"data", integers(24, -(2**23), -(2**22), 0, 2**22))), [-1.0, -0.5, 0.0, 0.5]),
        (riff(form(bits=24), chunk(b"data", integers(24, 1, -1))), [2.0**-23, -(2.0**-23)]),
        (riff(form(bits=32), chunk(b"data", integers(32, -(2**31), -(2**30), 0, 2**30))), [-1.0, -0.5, 0.0, 0.5]),
        (riff(form(FLOAT, bits=32), chunk(b"data", struct.pack("<3f", -1.0, 0.25, 0.5))), [-1.0, 0.25, 0.5]),
    ],
    ids=["8_bit", "16_bit", "24_bit", "least_bit_of_24", "32_bit", "float"],
)
def test_every_sample_format_gives_the_same_scale(file, expected):
    assert decode(file) == [expected]


def test_floats_beyond_full_scale_are_clipped_and_no_number_is_silence():
    values = struct.pack("<5f", 3.0, -1e38, float("inf"), float("nan"), float("-inf"))
    assert decode(riff(form(FLOAT, bits=32), chunk(b"data", values))) == [[1.0, -1.0, 1.0, 0.0, -1.0]]


@pytest.mark.parametrize(
    ("channels", "samples", "expected"),
    [(2, [16384, 0, -16384, -16384], [0.25, -0.5]), (3, [8192, 8192, 32767 - 8191, 0, 0, 24576], [1.25 / 3, 0.25])],
)
def test_channels_are_mixed_with_equal_weights(channels, samples, expected):
    np.testing.assert_allclose(decode(wav(samples, channels=channels)), [expected], atol=1e-7)


def test_the_extensible_header_is_read():
    samples = chunk(b"data", integers(24, 2**22))
    for kind, expected in ((1, [[0.5]]), (3, [[]]), (7, [[]])):  # integers; floats have 32 bits; mu-law
        extra = struct.pack("<HHIH", 22, 24, 4, kind) + bytes.fromhex("000000001000800000aa00389b71")
        assert decode(riff(form(EXTENSIBLE, bits=24, extra=extra), samples)) == expected
    assert decode(riff(form(EXTENSIBLE, bits=24), samples)) == [[]]  # without its second part


def test_chunks_before_the_samples_are_passed_over():
    data = chunk(b"data", integers(16, 16384))
    odd = chunk(b"LIST", b"abc")  # and one byte of padding
    assert decode(riff(odd, form(), chunk(b"fact", bytes(4)), odd, data)) == [[0.5]]
    assert decode(riff(form(), *[chunk(b"junk", b"")] * 40, data)) == [[0.5]]
    assert decode(riff(form(), *[chunk(b"junk", b"")] * 1000, data)) == [[]]  # nothing real has so many


def test_what_stands_behind_the_samples_is_not_heard():
    assert decode(riff(form(), chunk(b"data", integers(16, 16384)), chunk(b"LIST", b"abcd"))) == [[0.5]]


@pytest.mark.parametrize("claims", [0, 0xFFFFFFFF, 1000, 5])
def test_a_size_that_is_wrong_gives_the_samples_that_are_there(claims):
    file = riff(form(), chunk(b"data", integers(16, 16384, -16384, 8192), claims))
    assert decode(file) == [[0.5, -0.5] if claims == 5 else [0.5, -0.5, 0.25]]
    assert decode(file[:-1]) == [[0.5, -0.5]]  # the half sample at the end is lost


def test_a_recording_is_cut_and_rf64_is_read():
    assert decode(wav([16384] * 20)) == [[0.5] * 8]
    assert decode(riff(chunk(b"ds64", bytes(28)), form(), chunk(b"data", bytes(2), 0xFFFFFFFF), magic=b"RF64")) == [[0]]


DATA = chunk(b"data", bytes(64))


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"RIFF",
        b"sound",
        b"\xff" * 100,
        b"\xff\xd8\xff" + bytes(50),
        riff(),
        riff(form()),
        riff(DATA),
        riff(DATA, form()),
        riff(form(), chunk(b"data", b"")),
        riff(form(), chunk(b"data", b"a")),
        riff(form(), DATA)[:40],
        riff(form(rate=0), DATA),
        riff(form(rate=999), DATA),
        riff(form(rate=2**32 - 1), DATA),
        riff(form(channels=0), DATA),
        riff(form(channels=33, block=66), DATA),
        riff(form(channels=65535, bits=8), DATA),
        riff(form(bits=0), DATA),
        riff(form(bits=64), DATA),
        riff(form(bits=65535, block=8191), DATA),
        riff(form(block=0), DATA),
        riff(form(block=4), DATA),
        riff(form(FLOAT), DATA),
        riff(form(FLOAT, bits=64), DATA),
        riff(form(kind=6, bits=8), DATA),
        riff(form(), chunk(b"junk", b"", 0xFFFFFFFF), DATA),
        riff(chunk(b"fmt ", bytes(8)), DATA),
        riff(form(), DATA, magic=b"RIFX"),
    ],
)
def test_what_cannot_be_heard_is_unreadable_and_its_neighbours_are_not(file):
    good = wav([16384, -16384])
    assert decode(good, file, good) == [[0.5, -0.5], [], [0.5, -0.5]]


def test_no_bytes_make_a_batch_fail():
    rng = np.random.default_rng(0)
    file = bytearray(riff(form(), chunk(b"LIST", b"abc"), chunk(b"data", bytes(64))))
    damaged = []
    for _ in range(500):
        copy = bytearray(file)
        copy[rng.integers(0, 60)] = rng.choice([0, 1, 127, 255, rng.integers(256)])
        damaged.append(bytes(copy[: rng.integers(1, 2 * len(copy))]))
    decoded = decode(*damaged, wav([16384]))
    assert decoded[-1] == [0.5]
    assert 100 < sum(map(bool, decoded)) < 400


def test_a_batch_may_be_empty():
    assert decode() == []


def test_no_more_samples_than_the_limit_are_read():
    assert read_wav_header(tf.constant(wav([1] * 8)), most_bytes=7).frames == 3
