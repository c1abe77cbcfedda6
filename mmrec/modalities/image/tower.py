"""Image tower: a backbone and the head that fits its features to the item space."""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.image.backbones import build_network, preprocessing, top_layers
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.never_empty import never_empty
from mmrec.seeded import seeded


class Backbone(layers.Layer):
    """A network of `tf_keras.applications` without its classifier: pixels to pooled features.

    With `weights: null` the network is drawn from the seed. Batch normalisation uses its stored statistics unless a
    randomly drawn network trains as a whole.

    Args:
      config: backbone, weights, size and what trains.
      seed: of random weights.

    Raises:
      InputError: no such network, the photos are too small for it, or the weights cannot be fetched or read.

    Source: He et al., CVPR 2016, doi:10.1109/CVPR.2016.90 (ResNet50, the default); tf_keras.applications.
    """

    def __init__(self, config: ImageConfig, seed: int, **kwargs):
        super().__init__(name="backbone", **kwargs)
        with seeded(seed):
            self.network = build_network(config)
        self._preprocess = preprocessing(config.backbone)
        self.network.trainable = config.trainable != "none"
        if config.trainable == "top":
            top = {layer.name for layer in top_layers(self.network)}
            for layer in self.network.layers:
                layer.trainable = layer.name in top
        self._live_statistics = config.trainable == "all" and config.weights is None

    @property
    def feature_dim(self) -> int:
        """F, the width of the features."""
        return self.network.output_shape[-1]

    def digest(self) -> str:
        """Returns the SHA-256 of all weights, hexadecimal."""
        total = hashlib.sha256()
        for weight in self.network.get_weights():
            total.update(np.ascontiguousarray(weight).tobytes())
        return total.hexdigest()

    def call(self, pixels: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads photos.

        Args:
          pixels: uint8 or float32 [B, S, S, 3], RGB, 0..255.
          training: whether batch normalisation may learn.

        Returns:
          float32 [B, F].
        """
        scaled = self._preprocess(tf.cast(pixels, tf.float32))
        return never_empty(self.network, scaled, training=training and self._live_statistics)


class ImageTower(layers.Layer):
    """Standardises pooled features and projects them; trains the backbone through `pixels` when there are any.

    Args:
      config: dropout.
      mean: float32 [F], of the training catalog's features.
      deviation: float32 [F], their standard deviation.
      dim: D, width of the result.
      backbone: the network, when it trains; None when it is frozen.
    """

    def __init__(self, config: ImageConfig, mean, deviation, dim: int, backbone: Backbone | None = None, **kwargs):
        super().__init__(name="image_tower", **kwargs)
        self.mean = tf.Variable(mean, trainable=False, dtype=tf.float32, name="mean")
        self.deviation = tf.Variable(deviation, trainable=False, dtype=tf.float32, name="deviation")
        self.dropout = layers.Dropout(config.dropout)
        self.projection = layers.Dense(dim)
        self.backbone = backbone

    def standardise(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Takes the current mean and deviation (float32 [F] each) of the features, as the backbone trains."""
        self.mean.assign(mean)
        self.deviation.assign(deviation)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items.

        Args:
          features: `image_features` float32 [B, F]; `image_present` bool [B]; optionally `pixels` uint8 [P, S, S, 3]
            and `pixels_at` int32 [P]: rows of the batch whose features are computed anew, with gradients.
          training: whether dropout is active.

        Returns:
          float32 [B, D], and bool [B]: whether the item has a photo.
        """
        pooled = features["image_features"]
        if self.backbone is not None and "pixels" in features:
            fresh = self.backbone(features["pixels"], training=training)  # [P, F]
            pooled = tf.tensor_scatter_nd_update(pooled, features["pixels_at"][:, tf.newaxis], fresh)
        standard = tf.clip_by_value((pooled - self.mean) / self.deviation, -5.0, 5.0)
        return self.projection(self.dropout(standard, training=training)), features["image_present"]
