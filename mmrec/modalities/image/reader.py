"""Turns photos into the features of the image tower inside an export."""

from __future__ import annotations

import tensorflow as tf

from mmrec import schema
from mmrec.modalities.reader import STRINGS, Raw, Read
from mmrec.preprocess.images import MAX_PIXELS, decode_images


class ImageReader:
    """Decodes, resizes and encodes photos, and averages the features of an item's photos.

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
