"""TensorFlow Recommenders (`tfrs`), imported once TensorFlow runs Keras 2; without that it refuses."""

from __future__ import annotations

from mmrec.process import use_keras_2

use_keras_2()
import tensorflow_recommenders as tfrs  # noqa: E402

__all__ = ["tfrs"]
