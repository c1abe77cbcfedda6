"""The text tower: token embeddings, read by an encoder."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.encoders import TEXT_ENCODERS
from mmrec.registry import find


class TextTower(layers.Layer):
    """Embeds an item's tokens; what the encoder makes of them becomes the vector.

    Args:
      config: encoder, widths and dropout.
      vocabulary_size: number of token ids.
      dim: D, width of the result.
    """

    def __init__(self, config: TextConfig, vocabulary_size: int, dim: int, **kwargs):
        super().__init__(name="text_tower", **kwargs)
        self.embedding = layers.Embedding(vocabulary_size, config.embedding_dim)
        self.dropout = layers.Dropout(config.dropout)
        self.encoder = find("text encoder", config.encoder, TEXT_ENCODERS)(config)
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
        mask = tokens != 0  # [B, T]
        embedded = self.dropout(self.embedding(tokens), training=training)  # [B, T, E]
        state = self.encoder(embedded, read_mask(mask), training=training)  # [B, units]
        return self.projection(state), tf.reduce_any(mask, axis=1)


def read_mask(mask: tf.Tensor) -> tf.Tensor:
    """Returns the mask (bool [B, T]) with the first token of each row set.

    An item without text reads one padding token: for a row without any, Keras would give up cuDNN's LSTM, and a mean
    would divide by 0.
    """
    return mask | (tf.range(tf.shape(mask)[1]) == 0)
