"""Turns recordings into log-mel spectrograms, the same way in training and inside the export."""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from mmrec.modalities.audio.config import AudioConfig
from mmrec.preprocess.wav import read_wav, read_wav_header

LOWEST_HZ = 60.0
"""Where the lowest band begins."""
RANGE = 1e-6
"""Least power of a band that counts, as a share of the recording's greatest: 60 dB below it."""

_TRANSITION = 0.08  # share of the band below the lower Nyquist frequency over which resampling fades out
_REACH = 0.05  # seconds of a recording beyond the cut that resampling looks at
_SILENCE = 1e-30  # a power that stands for none at all


def decode_audio(encoded: tf.Tensor, rate: int, seconds: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Decodes WAV files to one channel at one rate; a bad one fails alone.

    Reads integer samples of 8 (unsigned), 16, 24 and 32 bits and floating-point ones of 32, up to 32 channels (mixed),
    1 to 768 kHz, plain or WAVE_FORMAT_EXTENSIBLE. A truncated file gives what is there. All else is unreadable, and so
    is a file without samples. Call it inside a `tf.function`: an eager call traces its pipeline every time.

    Args:
      encoded: string [B], the files' bytes; "" is unreadable.
      rate: of the result, Hz.
      seconds: longest part of a recording that is read, from its beginning.

    Returns:
      samples: float32 [B, N], N = rate * seconds rounded; -1 to 1 but for the overshoot of resampling, 0 after the end.
      lengths: int32 [B], samples before the end; 0 where unreadable.
      readable: bool [B].
    """
    encoded = tf.ensure_shape(tf.convert_to_tensor(encoded, tf.string), [None])
    samples, lengths = _each_row(lambda file: _decode(file, rate, round(rate * seconds)), encoded)
    return samples, lengths, lengths > 0


def log_mel(samples: tf.Tensor, lengths: tf.Tensor, config: AudioConfig) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes log-mel spectrograms that do not depend on how loud a recording is.

    Args:
      samples: float32 [B, N] at `config.rate`, as `decode_audio` gives them.
      lengths: int32 [B], samples before the end.
      config: window, hop and bands.

    Returns:
      mel: float32 [B, T, M], natural log of the power in each band, minus its mean over the bands and frames of the
        recording; 0 after the end. T = N / hop, rounded up. Equal bits for a recording whatever else is in the batch.
      frames: int32 [B], frames that begin before the end.

    Source: Davis & Mermelstein, IEEE TASSP 1980, doi:10.1109/TASSP.1980.1163420; filters as `tf.signal` has them.
    """
    window, hop = config.window_samples, config.hop_samples
    transform = 2 ** math.ceil(math.log2(window))  # samples, a fast length
    filters = tf.signal.linear_to_mel_weight_matrix(
        config.bands, transform // 2 + 1, config.rate, LOWEST_HZ, config.rate / 2
    )  # [transform / 2 + 1, M]

    def spectrogram(one, frames):
        spectrum = tf.signal.stft(one, window, hop, transform, pad_end=True)  # [T, transform / 2 + 1]
        power = tf.matmul(tf.square(tf.abs(spectrum)), filters)  # [T, M]
        logs = tf.math.log(tf.maximum(power, tf.maximum(RANGE * tf.reduce_max(power), _SILENCE)))
        inside = tf.cast(tf.sequence_mask(frames, tf.shape(logs)[0]), tf.float32)[:, tf.newaxis]  # [T, 1]
        mean = tf.reduce_sum(logs * inside) / tf.cast(frames * config.bands, tf.float32)
        return (logs - mean) * inside

    def row(one, length):
        frames = (length + hop - 1) // hop
        nothing = tf.zeros([(tf.size(one) + hop - 1) // hop, config.bands])
        return tf.cond(length > 0, lambda: spectrogram(one, frames), lambda: nothing), frames

    return _each_row(row, samples, lengths)


def _each_row(function: Callable, *tensors: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Calls `function` with each row of the tensors [B, ...], several rows at a time, and stacks what it returns.

    A pipeline always runs on the CPU, row by row: neither the device nor the neighbours change a row's bits.
    """
    count = tf.shape(tensors[0], tf.int64)[0]
    # `get_single_element` fails on nothing, so an empty row goes last; it is cut off again.
    padded = tuple(
        tf.concat([tensor, tf.zeros(tf.concat([[1], tf.shape(tensor)[1:]], 0), tensor.dtype)], 0) for tensor in tensors
    )
    pipeline = tf.data.Dataset.from_tensor_slices(padded).map(function, num_parallel_calls=tf.data.AUTOTUNE)
    return tuple(tensor[:-1] for tensor in pipeline.batch(count + 1).get_single_element())


def _decode(encoded: tf.Tensor, rate: int, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns float32 [count] and int32 [], the samples of one file's bytes (string []) and how many there are."""
    header = read_wav_header(encoded)

    def samples():
        longest = -(-count * header.rate // rate) + tf.cast(_REACH * tf.cast(header.rate, tf.float32), tf.int64)
        read = read_wav(encoded, header, tf.minimum(header.frames, longest))
        read = tf.cond(header.rate == rate, lambda: read, lambda: resample(read, header.rate, rate))[:count]
        return tf.pad(read, [[0, count - tf.size(read)]]), tf.size(read)

    wave, length = tf.cond(header.readable, samples, lambda: (tf.zeros([count]), 0))
    return tf.ensure_shape(wave, [count]), length


def resample(samples: tf.Tensor, rate: tf.Tensor, wanted: int) -> tf.Tensor:
    """Changes the sampling rate by cutting or padding the spectrum.

    Flat to 92% of the lower of both Nyquist frequencies, then faded out by a raised cosine; nothing is folded back.

    Args:
      samples: float32 [n].
      rate: int64 [], their rate, Hz.
      wanted: rate of the result, Hz.

    Returns:
      float32 [n * wanted / rate, rounded up]; sample i lies i / wanted seconds after the first.
    """
    frames = tf.size(samples, tf.int64)
    # Over whole seconds both rates have a whole number of samples, and so the same frequencies. The silence at the end
    # keeps what rings beyond the last sample from coming round to the first.
    seconds = 1 + (frames + rate // 16) // rate
    spectrum = tf.signal.rfft(tf.pad(samples, [[0, seconds * rate - frames]]))
    edge = seconds * tf.minimum(rate, wanted) // 2  # the bin of the lower Nyquist frequency
    place = tf.cast(tf.range(edge), tf.float32) / tf.cast(edge, tf.float32)  # 0 to 1
    fade = 0.5 + 0.5 * tf.cos(math.pi * tf.maximum(place - (1 - _TRANSITION), 0.0) / _TRANSITION)
    scale = tf.cast(wanted, tf.float32) / tf.cast(rate, tf.float32)
    kept = tf.pad(spectrum[:edge] * tf.cast(scale * fade, tf.complex64), [[0, seconds * wanted // 2 + 1 - edge]])
    length = tf.cast(seconds * wanted, tf.int32)
    return tf.signal.irfft(kept, [length])[: -(-frames * wanted // rate)]
