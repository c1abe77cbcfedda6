"""The `latent` encoder: a text is the sum of fitted token vectors."""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.pretrained import PooledTextTower

_LENGTH = 4.0  # of a text as the tower reads it: no value is cut off at 5


class LatentText(layers.Layer):
    """Adds up the vectors of a text's tokens and divides by the length that the text has in all dimensions.

    Args:
      table: float32 [V, F], a vector for each token; see `modalities.text.latent_fit`.
      rarity: float32 [V], the length that each token has in all dimensions.
    """

    def __init__(self, table: np.ndarray, rarity: np.ndarray, **kwargs):
        super().__init__(name="latent_text", **kwargs)
        self.table = tf.Variable(table, trainable=False, dtype=tf.float32, name="table")
        self.rarity = tf.Variable(rarity, trainable=False, dtype=tf.float32, name="rarity")
        self.feature_dim = table.shape[1]

    def digest(self) -> str:
        """Returns the SHA-256 of vectors and rarities, hexadecimal."""
        return hashlib.sha256(self.table.numpy().tobytes() + self.rarity.numpy().tobytes()).hexdigest()

    def call(self, tokens: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads items.

        Args:
          tokens: int32 [B, T], 0 pads at the end.
          training: unused; nothing varies.

        Returns:
          float32 [B, F]. The length says how much of the text the F dimensions cover: 1 is all of it (more where a
          token repeats), 0 where no token has a vector.
        """
        total = tf.reduce_sum(tf.gather(self.table, tokens), axis=1)  # [B, F]
        squared = tf.reduce_sum(tf.gather(tf.square(self.rarity), tokens), axis=1)  # [B]
        return tf.math.divide_no_nan(total, tf.sqrt(squared)[:, tf.newaxis])


class LatentTextTower(PooledTextTower):
    """Projects the first dimensions of fitted texts, as vectors of one length.

    They are read as they are: the first dimensions tell more than the last.

    Args:
      config: `latent_dim`, how many dimensions are read, and dropout.
      dim: D, width of the result.
    """

    def __init__(self, config: TextConfig, dim: int, **kwargs):
        width = config.latent_dim
        super().__init__(config, np.zeros(width), np.ones(width), dim, **kwargs)
        self._width = width

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items: `text_features` float32 [B, F], F >= `latent_dim`, and `text_present` bool [B]."""
        text = _LENGTH * tf.math.l2_normalize(features["text_features"][:, : self._width], axis=1)
        return super().call({**features, "text_features": text}, training=training)
