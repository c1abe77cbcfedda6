"""Features tower: ready-made feature vectors, standardised and projected."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

from mmrec.modalities.features.config import FeaturesConfig

VECTORS, PRESENT = "features", "features_present"
"""Names of what the tower reads."""


class FeaturesTower(layers.Layer):
    """Standardises vectors that came with the catalog and projects them.

    Args:
      config: dropout.
      mean: float32 [F], of the catalog's vectors.
      deviation: float32 [F], their standard deviation.
      dim: D, width of the result.
    """

    def __init__(self, config: FeaturesConfig, mean: np.ndarray, deviation: np.ndarray, dim: int, **kwargs):
        super().__init__(name="features_tower", **kwargs)
        self.mean = tf.Variable(mean, trainable=False, dtype=tf.float32, name="mean")
        self.deviation = tf.Variable(deviation, trainable=False, dtype=tf.float32, name="deviation")
        self.dropout = layers.Dropout(config.dropout)
        # Weights as small as those of the item-id table: Adam then moves both at about the same relative speed.
        self.projection = layers.Dense(dim, kernel_initializer=tf_keras.initializers.TruncatedNormal(stddev=0.02))

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items.

        Args:
          features: `features` float32 [B, F], finite; `features_present` bool [B].
          training: whether dropout is active.

        Returns:
          float32 [B, D], and bool [B]: whether the item has a vector.
        """
        standard = tf.clip_by_value((features[VECTORS] - self.mean) / self.deviation, -5.0, 5.0)
        return self.projection(self.dropout(standard, training=training)), features[PRESENT]
