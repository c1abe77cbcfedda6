"""Text encoders: a sequence of token embeddings -> one vector.

Each is constructed as `Encoder(config)` and called as `encoder(embedded, mask, training=False)`:

  embedded: float32 [B, T, E].
  mask: bool [B, T], the tokens that are read; they stand first, and each row has at least one.

It returns float32 [B, units]; what stands behind the mask changes nothing.
"""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.never_empty import never_empty
from mmrec.modalities.text.config import TextConfig

POSITIONS = 512  # that a Transformer tells apart; tokens further behind share the last


class _Recurrent(layers.Layer):
    _cell: type[layers.Layer]

    def __init__(self, config: TextConfig, **kwargs):
        super().__init__(name="encoder", **kwargs)
        self.reader = self._cell(config.units)
        if config.bidirectional:
            self.reader = layers.Bidirectional(self.reader)

    def call(self, embedded: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.reader(embedded, mask=mask)


class Lstm(_Recurrent):
    """The last state of an LSTM; of two, one in each direction, where the config says so.

    Source: Hochreiter & Schmidhuber, Neural Computation 1997, doi:10.1162/neco.1997.9.8.1735.
    """

    _cell = layers.LSTM


class Gru(_Recurrent):
    """The last state of a GRU; of two, one in each direction, where the config says so.

    Source: Cho et al., EMNLP 2014, doi:10.3115/v1/D14-1179.
    """

    _cell = layers.GRU


class Mean(layers.Layer):
    """The mean of the token embeddings: no order, no variables."""

    def __init__(self, config: TextConfig, **kwargs):
        super().__init__(name="encoder", **kwargs)

    def call(self, embedded: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        return masked_mean(embedded, mask)


class Convolutional(layers.Layer):
    """Convolutions over 2, 3 and 4 tokens; each channel's largest value of the whole text counts.

    Source: Kim, EMNLP 2014, doi:10.3115/v1/D14-1181.
    """

    def __init__(self, config: TextConfig, **kwargs):
        super().__init__(name="encoder", **kwargs)
        self.convolutions = [
            layers.Conv1D(config.units, width, padding="same", activation="relu") for width in (2, 3, 4)
        ]

    def call(self, embedded: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        shown = tf.cast(mask, embedded.dtype)[..., tf.newaxis]  # [B, T, 1]
        # After the rectifier no value is below 0, so 0 stands for what is not there.
        read = [never_empty(convolution, embedded * shown) for convolution in self.convolutions]
        return tf.concat([tf.reduce_max(values * shown, axis=1) for values in read], axis=1)  # [B, 3 * units]


class Transformer(layers.Layer):
    """A small Transformer encoder, normalised before each part, with learnt positions; the mean of its outputs.

    Source: Vaswani et al., arXiv:1706.03762; Xiong et al., arXiv:2002.04745 (normalisation).
    """

    def __init__(self, config: TextConfig, **kwargs):
        super().__init__(name="encoder", **kwargs)
        self.widen = layers.Dense(config.units)
        self.positions = layers.Embedding(POSITIONS, config.units)
        self.blocks = [_Block(config) for _ in range(config.layers)]
        self.norm = layers.LayerNormalization()

    def call(self, embedded: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        place = tf.minimum(tf.range(tf.shape(mask)[1]), POSITIONS - 1)
        values = self.widen(embedded) + self.positions(place)  # [B, T, units]
        for block in self.blocks:
            values = block(values, mask, training=training)
        return masked_mean(self.norm(values), mask)


class _Block(layers.Layer):
    """Attention over the text, then a layer of four times the width; each adds to what it reads."""

    def __init__(self, config: TextConfig):
        super().__init__()
        width = -(-config.units // config.heads)  # of a head, rounded up
        # Without biases: that of the keys would never get a gradient.
        self.attention = layers.MultiHeadAttention(config.heads, width, use_bias=False)
        self.wide = layers.Dense(4 * config.units, activation="relu")
        self.narrow = layers.Dense(config.units)
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.dropout = layers.Dropout(config.dropout)

    def call(self, values: tf.Tensor, mask: tf.Tensor, training: bool = False) -> tf.Tensor:
        normal = self.norms[0](values)
        read = self.attention(normal, normal, attention_mask=mask[:, tf.newaxis])
        values += self.dropout(read, training=training)
        return values + self.dropout(self.narrow(self.wide(self.norms[1](values))), training=training)


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Returns the mean over the tokens that are read (mask: bool [B, T]): float32 [B, T, E] to [B, E]."""
    shown = tf.cast(mask, values.dtype)[..., tf.newaxis]
    return tf.reduce_sum(values * shown, axis=1) / tf.reduce_sum(shown, axis=1)


TEXT_ENCODERS = {
    "lstm": Lstm,
    "gru": Gru,
    "convolutional": Convolutional,
    "transformer": Transformer,
    "mean": Mean,
}
