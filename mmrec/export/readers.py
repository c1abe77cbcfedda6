"""What stands in front of the towers in an export: raw inputs of items to the features that training used.

A reader holds its variables and tables in `resources`; the layers that it calls stay out of sight of the saver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.config_item import AudioConfig
from mmrec.preprocess.attributes import AttributeEncoder
from mmrec.preprocess.audio import decode_audio, log_mel
from mmrec.preprocess.images import MAX_PIXELS, decode_images
from mmrec.preprocess.text import TextEncoder

STRINGS = tf.TensorSpec([None], tf.string)

Raw = Mapping[str, tf.Tensor]


class Read(NamedTuple):
    """What was read of B items.

    Attributes:
      features: what the tower reads; first dimension B.
      given: bool [B], whether anything usable was given.
      status: int32 [B], the bits of `status` that say what was wrong; or 0.
    """

    features: dict[str, tf.Tensor]
    given: tf.Tensor
    status: tf.Tensor | int = 0


class Reader(Protocol):
    """Reads one modality.

    Attributes:
      inputs: the raw inputs by name.
      resources: variables and tables that the graph uses.
    """

    inputs: Mapping[str, tf.TensorSpec]
    resources: Sequence

    def __call__(self, raw: Raw) -> Read:
        """Reads `inputs`; a row's fault changes no other row."""
        ...


class ImageReader:
    """Photos: decoded, resized, read by the backbone, and averaged where an item has several.

    Args:
      backbone: uint8 [B, S, S, 3] -> float32 [B, F].
      size: S, pixels.
      photos: P; 1: `image_bytes` is [B], else [B, P].
      max_pixels: width times height above which a photo is unreadable.
    """

    def __init__(self, backbone: tf.keras.layers.Layer, size: int, photos: int = 1, max_pixels: int = MAX_PIXELS):
        self.inputs = {"image_bytes": STRINGS if photos == 1 else tf.TensorSpec([None, photos], tf.string)}
        self.resources = backbone.variables
        self._backbone, self._size, self._photos, self._max_pixels = backbone, size, photos, max_pixels

    def __call__(self, raw: Raw) -> Read:
        files = tf.reshape(raw["image_bytes"], [-1, self._photos])  # [B, P]
        named = tf.where(files != "")  # [G, 2]
        item, count = named[:, 0], tf.shape(files, tf.int64)[0]
        # [G, S, S, 3], [G]
        pixels, readable = decode_images(tf.gather_nd(files, named), self._size, self._max_pixels)
        encoded = self._backbone(tf.boolean_mask(pixels, readable), training=False)  # [R, F]
        good = tf.cast(readable, tf.int32)
        present = tf.math.unsorted_segment_sum(good, item, count) > 0
        features = {
            "image_features": tf.math.unsorted_segment_mean(encoded, tf.boolean_mask(item, readable), count),
            "image_present": present,
        }
        unreadable = tf.math.unsorted_segment_sum(1 - good, item, count) > 0
        return Read(features, present, tf.where(unreadable, schema.ROW_STATUS_IMAGE, 0))


class AudioReader:
    """Recordings: decoded, resampled and turned into spectrograms.

    Args:
      config: rate, length and bands.
    """

    resources = ()

    def __init__(self, config: AudioConfig):
        self.inputs = {"audio_bytes": STRINGS}
        self._config = config

    def __call__(self, raw: Raw) -> Read:
        samples, lengths, readable = decode_audio(raw["audio_bytes"], self._config.rate, self._config.seconds)
        mel, frames = log_mel(samples, lengths, self._config)
        unreadable = (raw["audio_bytes"] != "") & ~readable
        status = tf.where(unreadable, schema.ROW_STATUS_AUDIO, 0)
        return Read({"audio_mel": mel, "audio_frames": frames}, readable, status)


class TextReader:
    """Texts: normalised and tokenised.

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
    """Texts, read by a frozen backbone.

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


class VectorReader:
    """Ready-made vectors; a row with any value that is not finite is none.

    Args:
      width: F.
    """

    resources = ()

    def __init__(self, width: int):
        self.inputs = {"features": tf.TensorSpec([None, width], tf.float32)}

    def __call__(self, raw: Raw) -> Read:
        present = tf.reduce_all(tf.math.is_finite(raw["features"]), axis=1)
        values = tf.where(present[:, tf.newaxis], raw["features"], 0.0)
        return Read({"features": values, "features_present": present}, present)


class AttributesReader:
    """Categories ("" is none) and numbers (what is not finite is none).

    Args:
      encoder: raw attributes -> features.
      names: input name by column.
    """

    def __init__(self, encoder: AttributeEncoder, names: Mapping[str, str]):
        self.inputs = {
            name: STRINGS if encoder.kinds[column] == "category" else tf.TensorSpec([None], tf.float32)
            for column, name in names.items()
        }
        self.resources = list(encoder.tables.values())
        self._encoder, self._names = encoder, names

    def __call__(self, raw: Raw) -> Read:
        features = self._encoder({column: raw[name] for column, name in self._names.items()})
        return Read(features, tf.reduce_any(features["attributes_known"], axis=1))


class ItemIdReader:
    """Ids, "" for an item that the export does not know.

    Args:
      ids: str objects [N + 1], item id by row.
      table_rows: int32 [N + 1], row of each item in the id table; 0 for those without training events.
    """

    def __init__(self, ids: np.ndarray, table_rows: np.ndarray):
        trained = np.flatnonzero(table_rows)
        keys = tf.lookup.KeyValueTensorInitializer(
            tf.constant(ids[trained].tolist(), tf.string), tf.constant(table_rows[trained], tf.int32)
        )
        self._table = tf.lookup.StaticHashTable(keys, default_value=0)
        self.inputs, self.resources = {"item_id": STRINGS}, [self._table]

    def __call__(self, raw: Raw) -> Read:
        rows = self._table.lookup(raw["item_id"])
        return Read({"item_id_row": rows}, rows > 0)


def _only_where(chosen: tf.Tensor, values: tf.Tensor, encode: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Encodes the chosen rows (bool [B]) of `values` [B, ...] to float32 [B, F]; the others are 0, as in training."""
    places = tf.where(chosen)  # [R, 1]
    encoded = encode(tf.gather_nd(values, places))  # [R, F]
    return tf.scatter_nd(places, encoded, [tf.size(chosen, tf.int64), encoded.shape[1]])
