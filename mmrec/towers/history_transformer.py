"""A causal Transformer over the history."""

from __future__ import annotations

import tensorflow as tf
import tf_keras
from tf_keras import layers

from mmrec.config.query import QueryConfig
from mmrec.errors import InputError
from mmrec.towers.history_base import HistoryTower


class TransformerHistory(HistoryTower):
    """Self-attention in which each item sees those before it; normalised before each part, with learnt positions.

    Positions count from the oldest item that is read. Queries and keys of all heads are one product, so a step is a few
    large multiplications.

    Args:
      dim: D, a multiple of the heads.
      config: dropout, blocks, heads, longest history.

    Raises:
      InputError: D is no multiple of the heads.

    Source: SASRec, Kang & McAuley, ICDM 2018, arXiv:1808.09781, here with dense layers four times as wide;
      normalised before as in Xiong et al., ICML 2020, arXiv:2002.04745.
    """

    def __init__(self, dim: int, config: QueryConfig, **kwargs):
        super().__init__(dim, config, **kwargs)
        if dim % config.heads:
            raise InputError(
                f"`query.heads` must divide the width of the item embedding, {dim}. Received: {config.heads}."
            )
        small = _small()
        self.positions = self.add_weight(name="positions", shape=[config.max_length, dim], initializer=small)
        self.blocks = [_Block(dim, config) for _ in range(config.layers)]
        self.norm = layers.LayerNormalization()

    def read(self, items: tf.Tensor, training: bool) -> tf.Tensor:
        """float32 [B, L, D] -> float32 [B, L, D]."""
        length = tf.shape(items)[1]
        seen = tf.linalg.band_part(tf.ones([length, length]), -1, 0)  # [L, L], 1 where the row may see the column
        values = items + self.dropout(self.positions[:length], training=training)
        for block in self.blocks:
            values = block(values, seen, training=training)
        return self.norm(values)


class _Block(layers.Layer):
    """Attention, then two dense layers; each adds to what it reads."""

    def __init__(self, dim: int, config: QueryConfig, **kwargs):
        super().__init__(**kwargs)
        self._heads = config.heads
        self.norms = [layers.LayerNormalization(), layers.LayerNormalization()]
        self.split = layers.Dense(3 * dim, kernel_initializer=_small())
        self.join = layers.Dense(dim, kernel_initializer=_small())
        self.wide = layers.Dense(4 * dim, activation="relu", kernel_initializer=_small())
        self.narrow = layers.Dense(dim, kernel_initializer=_small())
        self.dropout = layers.Dropout(config.dropout)

    def call(self, values: tf.Tensor, seen: tf.Tensor, training: bool = False) -> tf.Tensor:
        """float32 [B, L, D] and float32 [L, L], 1 where the row may see the column -> float32 [B, L, D]."""
        batch, length, dim = tf.shape(values)[0], tf.shape(values)[1], values.shape[2]
        heads = tf.reshape(self.split(self.norms[0](values)), [batch, length, 3 * self._heads, dim // self._heads])
        query, key, value = tf.split(tf.transpose(heads, [0, 2, 1, 3]), 3, axis=1)  # each [B, H, L, D / H]
        scores = tf.matmul(query, key, transpose_b=True) * (dim // self._heads) ** -0.5 + (seen - 1.0) * 1e9
        read = tf.matmul(self.dropout(tf.nn.softmax(scores), training=training), value)  # [B, H, L, D / H]
        joined = self.join(tf.reshape(tf.transpose(read, [0, 2, 1, 3]), [batch, length, dim]))
        values += self.dropout(joined, training=training)
        return values + self.dropout(self.narrow(self.wide(self.norms[1](values))), training=training)


def _small() -> tf_keras.initializers.Initializer:
    return tf_keras.initializers.TruncatedNormal(stddev=0.02)
