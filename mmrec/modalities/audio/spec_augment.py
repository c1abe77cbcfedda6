"""Random changes to log-mel spectrograms, in training only."""

from __future__ import annotations

import tensorflow as tf

from mmrec.modalities.audio.config import AudioConfig


def spec_augment(
    mel: tf.Tensor, frames: tf.Tensor, config: AudioConfig, seeds: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Shifts every recording in time, then hides stretches of time and groups of bands, each by its own seed only.

    Args:
      mel: float32 [B, T, M], with mean 0 over a recording; what is hidden becomes 0.
      frames: int32 [B], frames that count.
      config: how much is shifted and hidden.
      seeds: int32 or int64 [B, 2]; the same seed gives the same change; what is shifted beyond T is cut.

    Returns:
      The changed mel and frames. A shift to the right puts frames of 0 in front, a shift to the left drops the first
      ones; at least one frame stays of a recording.

    Source: Park et al., Interspeech 2019, arXiv:1904.08779; without time warping, and with the masks' largest widths as
      shares, so that short recordings are not hidden whole.
    """
    bands, masks = mel.shape[2], config.time_masks + config.band_masks
    number = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([1 + 2 * masks], seed, alg="philox"),
        tf.convert_to_tensor(seeds),
        fn_output_signature=tf.TensorSpec([1 + 2 * masks], tf.float32),
    )  # [B, 1 + 2 masks], in [0, 1)
    mel, frames = _shift(mel, frames, config.time_shift * (2.0 * number[:, 0] - 1.0))
    of_time, of_bands = number[:, 1 : 1 + 2 * config.time_masks], number[:, 1 + 2 * config.time_masks :]
    hidden_times = _hidden(of_time, config.time_mask, frames, tf.shape(mel)[1])  # [B, T]
    hidden_bands = _hidden(of_bands, config.band_mask, tf.fill(tf.shape(frames), bands), bands)  # [B, M]
    return tf.where(hidden_times[:, :, tf.newaxis] | hidden_bands[:, tf.newaxis], 0.0, mel), frames


def _shift(mel: tf.Tensor, frames: tf.Tensor, share: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Moves each recording to the right by a share (float32 [B]) of its length."""
    length = tf.shape(mel)[1]
    by = tf.cast(tf.round(share * tf.cast(frames, tf.float32)), tf.int32)
    by = tf.maximum(by, 1 - tf.maximum(frames, 1))  # a frame stays
    source = tf.range(length) - by[:, tf.newaxis]  # [B, T]
    inside = (source >= 0) & (source < frames[:, tf.newaxis])
    moved = tf.gather(mel, tf.clip_by_value(source, 0, length - 1), batch_dims=1)
    moved = tf.where(inside[..., tf.newaxis], moved, 0.0)
    return moved, tf.where(frames > 0, tf.clip_by_value(frames + by, 1, length), 0)


def _hidden(numbers: tf.Tensor, largest: float, sizes: tf.Tensor, places: int | tf.Tensor) -> tf.Tensor:
    """Returns bool [B, places], which places any mask hides.

    Args:
      numbers: float32 [B, 2 * masks] in [0, 1): the width of each mask, then where it stands.
      largest: width of a mask, as a share of `sizes`.
      sizes: int32 [B], places that count.
      places: number of places, those that do not count included.
    """
    width, start = tf.split(numbers, 2, axis=1)  # [B, masks]
    sizes = tf.cast(sizes, tf.float32)[:, tf.newaxis]
    width = tf.floor(width * (tf.floor(largest * sizes) + 1.0))  # 0 to the largest
    start = tf.floor(start * (sizes - width + 1.0))
    place = tf.range(tf.cast(places, tf.float32))
    inside = (place >= start[..., tf.newaxis]) & (place < (start + width)[..., tf.newaxis])  # [B, masks, places]
    return tf.reduce_any(inside, axis=1)
