"""Reads the samples of a WAV file in the graph, by arithmetic that no bytes can break."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from mmrec.preprocess.file_bytes import is_name, little, read_bytes

RATES = (1_000, 768_000)
"""Lowest and highest sampling rate that is read, Hz."""
MAX_CHANNELS = 32
"""Most channels that are mixed."""
MAX_BYTES = 2**24
"""Bytes of samples that are read at most, 29 seconds of 96 kHz, 24 bits and stereo; what follows is cut off."""

_MAX_CHUNKS = 64  # looked at before the samples are given up
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNSIZED = (0, 0xFFFFFFFF)  # what a recorder writes that does not know the end yet


class WavHeader(NamedTuple):
    """Where a file's samples are and what they mean; int64 scalars, bool `readable`.

    Attributes:
      readable: whether the file is a WAV of a kind that is read, with at least one frame; else the rest means nothing.
      rate: frames per second.
      channels: samples per frame.
      width: bytes per sample.
      is_float: bool, whether samples are floating-point numbers.
      start: position of the first sample, bytes.
      frames: whole frames that are there.
    """

    readable: tf.Tensor
    rate: tf.Tensor
    channels: tf.Tensor
    width: tf.Tensor
    is_float: tf.Tensor
    start: tf.Tensor
    frames: tf.Tensor


def read_wav_header(encoded: tf.Tensor, most_bytes: int = MAX_BYTES) -> WavHeader:
    """Finds format and samples among the file's chunks, whatever stands before them.

    The size that a chunk claims is believed only as far as the file goes; a `data` chunk of size 0 or 0xFFFFFFFF
    reaches to the end.

    Args:
      encoded: string [], the file's bytes.
      most_bytes: of samples; what follows is cut off.

    Source: Microsoft & IBM, Multimedia Programming Interface 1.0 (1991); Microsoft, WAVEFORMATEXTENSIBLE; RF64, ITU-R
      BS.2088.
    """
    size = tf.cast(tf.strings.length(encoded), tf.int64)
    magic = read_bytes(encoded, 0, 12)
    is_wav = is_name(magic[:4], b"RIFF") | is_name(magic[:4], b"RF64")
    is_wav &= is_name(magic[8:], b"WAVE")

    def goes_on(at, _):
        return is_wav & (at < size) & ~is_name(read_bytes(encoded, at, 4), b"data")

    def following(at, form):
        chunk = read_bytes(encoded, at, 8)
        length = little(chunk[4:])
        form = tf.where(is_name(chunk[:4], b"fmt ") & (length >= 16), at + 8, form)
        return at + 8 + length + length % 2, form  # chunks begin at even places

    first, nowhere = tf.constant(12, tf.int64), tf.constant(-1, tf.int64)
    at, form = tf.while_loop(goes_on, following, (first, nowhere), maximum_iterations=_MAX_CHUNKS)

    fields = read_bytes(encoded, tf.maximum(form, 0), 26)
    kind, channels, rate = little(fields[0:2]), little(fields[2:4]), little(fields[4:8])
    block, bits = little(fields[12:14]), little(fields[14:16])
    kind = tf.where(kind == _EXTENSIBLE, little(fields[24:26]), kind)
    width = (bits + 7) // 8
    is_float = kind == _FLOAT
    supported = ((kind == _PCM) & (width >= 1) & (width <= 4)) | (is_float & (bits == 32))
    supported &= (channels >= 1) & (channels <= MAX_CHANNELS) & (block == channels * width)
    supported &= (rate >= RATES[0]) & (rate <= RATES[1])

    start = tf.minimum(at + 8, size)
    claimed = little(read_bytes(encoded, at, 8)[4:])
    there = tf.where(tf.reduce_any(claimed == _UNSIZED), size, claimed)
    there = tf.minimum(tf.minimum(there, size - start), most_bytes)
    frames = there // tf.maximum(block, 1)
    readable = is_wav & (form >= 0) & supported & is_name(read_bytes(encoded, at, 4), b"data") & (frames > 0)
    return WavHeader(readable, rate, channels, width, is_float, start, frames)


def read_wav(encoded: tf.Tensor, header: WavHeader, frames: tf.Tensor) -> tf.Tensor:
    """Reads the first frames of a readable file and mixes their channels with equal weights.

    Args:
      encoded: string [], the file's bytes.
      header: of the file, `readable`.
      frames: int64 [], how many, at most `header.frames`.

    Returns:
      float32 [frames], -1 to 1; floating-point samples beyond are clipped, those that are no numbers are 0.
    """
    raw = tf.strings.substr(encoded, header.start, frames * header.channels * header.width)
    digits = tf.reshape(tf.io.decode_raw(raw, tf.uint8), tf.stack([-1, header.width]))  # [samples, width]
    # One byte counts up from 0, more are signed: flipping the top bit makes the former the latter.
    digits = tf.where(header.width == 1, tf.bitwise.bitwise_xor(digits, tf.constant(0x80, tf.uint8)), digits)
    digits = tf.pad(digits, [[0, 0], tf.stack([4 - header.width, 0])])  # the low bytes that a narrow sample lacks
    digits = tf.reshape(digits, [-1, 4])
    whole = tf.cast(tf.bitcast(digits, tf.int32), tf.float32) * 2.0**-31
    real = tf.bitcast(digits, tf.float32)
    real = tf.where(tf.math.is_nan(real), 0.0, tf.clip_by_value(real, -1.0, 1.0))
    samples = tf.where(header.is_float, real, whole)
    return tf.reduce_mean(tf.reshape(samples, tf.stack([-1, header.channels])), axis=1)  # [frames]
