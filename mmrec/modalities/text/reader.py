"""Turns texts into tokens, or into a frozen backbone's outputs, inside an export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import tensorflow as tf

from mmrec.modalities.reader import STRINGS, Raw, Read
from mmrec.preprocess.text import TextEncoder


class TextReader:
    """Normalises and tokenises texts.

    Args:
      encoder: texts -> tokens.
      names: the inputs, in the order of the columns.
    """

    def __init__(self, encoder: TextEncoder, names: Sequence[str]):
        self.inputs = dict.fromkeys(names, STRINGS)
        self.resources = [encoder.table] if encoder.table else []
        self._encoder = encoder

    def __call__(self, raw: Raw) -> Read:
        tokens = self._encoder([raw[name] for name in self.inputs])
        return Read({"text_tokens": tokens}, tf.reduce_any(tokens != 0, axis=1))


class PooledTextReader(TextReader):
    """Normalises, tokenises and encodes texts by a frozen backbone.

    Args:
      encoder: texts -> tokens.
      names: the inputs, in the order of the columns.
      backbone: int32 [B, T] -> float32 [B, F].
    """

    def __init__(self, encoder: TextEncoder, names: Sequence[str], backbone: tf.keras.layers.Layer):
        super().__init__(encoder, names)
        self.resources = [*self.resources, *backbone.variables]
        self._backbone = backbone

    def __call__(self, raw: Raw) -> Read:
        features, present, _ = super().__call__(raw)
        pooled = _only_where(present, features["text_tokens"], partial(self._backbone, training=False))
        return Read({"text_features": pooled, "text_present": present}, present)


def _only_where(chosen: tf.Tensor, values: tf.Tensor, encode: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Encodes the chosen rows (bool [B]) of `values` [B, ...] to float32 [B, F]; the others are 0, as in training."""
    places = tf.where(chosen)  # [R, 1]
    encoded = encode(tf.gather_nd(values, places))  # [R, F]
    return tf.scatter_nd(places, encoded, [tf.size(chosen, tf.int64), encoded.shape[1]])
