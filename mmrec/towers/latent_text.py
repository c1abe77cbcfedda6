"""Texts as the sum of fitted token vectors: reads like a frozen pretrained backbone, and costs a look-up."""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf
from tf_keras import layers

LENGTH = 4.0  # of a text's vector: no value is cut off at 5 by the tower that reads it


class LatentText(layers.Layer):
    """Adds up the vectors of a text's tokens and divides by the length.

    Args:
      table: float32 [V, F], a vector for each token; see `data.latent_text`.
    """

    def __init__(self, table: np.ndarray, **kwargs):
        super().__init__(name="latent_text", **kwargs)
        self.table = tf.Variable(table, trainable=False, dtype=tf.float32, name="table")
        self.feature_dim = table.shape[1]

    def digest(self) -> str:
        """Returns the SHA-256 of the vectors, hexadecimal."""
        return hashlib.sha256(self.table.numpy().tobytes()).hexdigest()

    def call(self, tokens: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads items.

        Args:
          tokens: int32 [B, T], 0 pads at the end.
          training: unused; nothing varies.

        Returns:
          float32 [B, F], of length `LENGTH`; zeros where no token has a vector.
        """
        total = tf.reduce_sum(tf.gather(self.table, tokens), axis=1)  # [B, F]
        return LENGTH * tf.math.l2_normalize(total, axis=1)
