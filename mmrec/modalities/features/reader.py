"""Reads ready-made vectors inside an export."""

from __future__ import annotations

import tensorflow as tf

from mmrec.modalities.reader import Raw, Read


class VectorReader:
    """Reads ready-made vectors; a row with a value that is not finite counts as missing.

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
