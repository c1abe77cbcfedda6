"""A pretrained keras-nlp backbone as a text encoder, bridged from Keras 3 to Keras 2."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.errors import InputError, loading_preset
from mmrec.modalities.features.config import FeaturesConfig
from mmrec.modalities.features.tower import PRESENT, VECTORS, FeaturesTower
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.encoders import masked_mean
from mmrec.modalities.text.tower import read_mask
from mmrec.seeded import seeded

_INPUTS = {"token_ids", "padding_mask", "segment_ids"}


class PretrainedText(layers.Layer):
    """Reads tokens with the backbone of a preset; the mean of its outputs over the tokens is the vector.

    Keras 2 does not see into the Keras 3 backbone: this layer lists its variables as its own, so that they train, are
    checkpointed and exported.

    Args:
      config: preset, what trains, rank of the adapters.
      width: T, the most tokens that will be read.
      seed: of the adapters.

    Raises:
      InputError: the preset cannot be loaded, is no encoder of one text, or reads fewer tokens than `width`.

    Source: Hu et al., LoRA, arXiv:2106.09685 (`trainable: lora`).
    """

    def __init__(self, config: TextConfig, width: int, seed: int, **kwargs):
        import keras

        super().__init__(name="pretrained_text", **kwargs)
        with seeded(seed):
            backbone = _load_backbone(config, width)
        output = backbone.output["sequence_output"] if isinstance(backbone.output, dict) else backbone.output
        self.feature_dim = int(output.shape[-1])
        network = keras.Model(backbone.input, output)  # without what the output does not need, such as BERT's pooler
        self._inputs, self._network = tuple(backbone.input), lambda: network  # a function is not tracked
        trained = {id(variable) for variable in network.trainable_variables}
        for at, variable in enumerate(network.variables):
            self._track_trackable(variable.value, f"variable_{at}")  # for checkpoints
            listed = self._trainable_weights if id(variable) in trained else self._non_trainable_weights
            listed.append(variable.value)

    def digest(self) -> str:
        """Returns the SHA-256 of all weights, hexadecimal."""
        total = hashlib.sha256()
        for weight in self._network().weights:
            total.update(np.ascontiguousarray(weight.numpy()).tobytes())
        return total.hexdigest()

    def call(self, tokens: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Reads items.

        Args:
          tokens: int32 [B, T], the preset's own numbers plus 1; 0 pads at the end.
          training: whether the backbone's dropout is active.

        Returns:
          float32 [B, F].
        """
        mask = read_mask(tokens != 0)
        inputs = {"token_ids": tf.maximum(tokens - 1, 0), "padding_mask": mask, "segment_ids": tf.zeros_like(tokens)}
        outputs = self._network()({name: inputs[name] for name in self._inputs}, training=training)  # [B, T, F]
        return masked_mean(tf.cast(outputs, tf.float32), mask)


def _load_backbone(config: TextConfig, width: int) -> Any:
    """Returns the preset's backbone, with what trains set; its adapters are drawn."""
    import keras_nlp

    with loading_preset(config.preset, "backbone"):
        backbone = keras_nlp.models.Backbone.from_preset(config.preset)
    if not isinstance(backbone.input, dict) or not set(backbone.input) <= _INPUTS:
        raise InputError(
            f"`item.text.preset`: {config.preset!r} must be an encoder of one text, such as BERT. "
            f"Received: {type(backbone).__name__}."
        )
    longest = getattr(backbone, "max_sequence_length", None)
    if longest is not None and width > longest:
        raise InputError(
            f"`item.text.max_tokens`: the text columns together must have at most {longest} tokens, with those "
            f"that part them, for {config.preset!r}. Received: {width}."
        )
    if config.trainable == "lora":
        backbone.enable_lora(config.lora_rank)
    else:
        backbone.trainable = config.trainable == "all"
    return backbone


class PretrainedTextTower(layers.Layer):
    """Projects what a backbone that trains makes of the tokens.

    Args:
      config: dropout.
      network: tokens -> float32 [B, F].
      dim: D, width of the result.
    """

    def __init__(self, config: TextConfig, network: PretrainedText, dim: int, **kwargs):
        super().__init__(name="text_tower", **kwargs)
        self.network = network
        self.norm = layers.LayerNormalization()
        self.dropout = layers.Dropout(config.dropout)
        self.projection = layers.Dense(dim)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items.

        Args:
          features: `text_tokens` int32 [B, T], 0 pads at the end.
          training: whether dropout is active.

        Returns:
          float32 [B, D], and bool [B]: whether the item has any token.
        """
        tokens = features["text_tokens"]
        pooled = self.norm(self.network(tokens, training=training))  # [B, F]
        return self.projection(self.dropout(pooled, training=training)), tf.reduce_any(tokens != 0, axis=1)


class PooledTextTower(FeaturesTower):
    """Standardises and projects the outputs of a frozen backbone, `text_features` and `text_present`.

    Args:
      config: dropout.
      mean: float32 [F], of the catalog's outputs.
      deviation: float32 [F], their standard deviation.
      dim: D, width of the result.
    """

    def __init__(self, config: TextConfig, mean: np.ndarray, deviation: np.ndarray, dim: int, **kwargs):
        super().__init__(FeaturesConfig(dropout=config.dropout), mean, deviation, dim, **kwargs)

    def call(self, features: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Encodes items: `text_features` float32 [B, F] and `text_present` bool [B], as `FeaturesTower` does."""
        inputs = {VECTORS: features["text_features"], PRESENT: features["text_present"]}
        return super().call(inputs, training=training)
