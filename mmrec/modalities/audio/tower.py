"""Audio tower: a small convolutional network over a log-mel spectrogram."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.never_empty import never_empty

_KERNEL = 5  # frames that a convolution sees at once


class AudioTower(layers.Layer):
    """Halves the time axis with each convolution; the mean and the maximum over time become the vector.

    Only frames that the recording has are ever seen: neither the longest recording of a batch nor other rows change an
    item's vector, which is why the layers are normalised per frame.

    Args:
      config: widths and dropout.
      mean: float32 [M], of each band over the training catalog's frames.
      deviation: float32 [M], their standard deviation.
      dim: D, width of the result.

    Source: layer normalisation, Ba et al., arXiv:1607.06450.
    """

    def __init__(self, config: AudioConfig, mean: np.ndarray, deviation: np.ndarray, dim: int, **kwargs):
        super().__init__(name="audio_tower", **kwargs)
        self.mean = tf.Variable(mean, trainable=False, dtype=tf.float32, name="mean")
        self.deviation = tf.Variable(deviation, trainable=False, dtype=tf.float32, name="deviation")
        self.convolutions = [layers.Conv1D(config.channels, _KERNEL, strides=2) for _ in range(config.layers)]
        self.norms = [layers.LayerNormalization() for _ in range(config.layers)]
        self.dropout = layers.Dropout(config.dropout)
        self.projection = layers.Dense(dim)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items.

        Args:
          features: `audio_mel` float32 [B, T, M]; `audio_frames` int32 [B], how many of the T count, 0 without sound.
          training: whether dropout is active.

        Returns:
          float32 [B, D], and bool [B]: whether the item has a recording.
        """
        frames = features["audio_frames"]
        present = frames > 0
        mel = features["audio_mel"][:, : tf.maximum(tf.reduce_max(frames), 1)]  # most recordings are short
        values = tf.clip_by_value((mel - self.mean) / self.deviation, -5.0, 5.0)  # [B, T, M]
        values *= _mask(frames, values)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            padded = tf.pad(values, [[0, 0], [_KERNEL // 2, _KERNEL // 2], [0, 0]])
            values = tf.nn.relu(norm(never_empty(convolution, padded)))  # [B, T / 2, channels]
            frames = (frames + 1) // 2
            values *= _mask(frames, values)
        mean = tf.reduce_sum(values, axis=1) / tf.cast(tf.maximum(frames, 1), tf.float32)[:, tf.newaxis]
        # Behind the rectifier nothing is below 0, so the zeros after the end are no maximum.
        pooled = tf.concat([mean, tf.reduce_max(values, axis=1)], axis=1)  # [B, 2 channels]
        return self.projection(self.dropout(pooled, training=training)), present


def _mask(frames: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns float32 [B, T, 1], 1 for the frames that count of `values` [B, T, ...]."""
    return tf.cast(tf.sequence_mask(frames, tf.shape(values)[1]), tf.float32)[..., tf.newaxis]
