"""Towers and inputs for the contracts that all towers share."""

from functools import partial

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.audio.tower import AudioTower
from mmrec.modalities.features.config import FeaturesConfig
from mmrec.modalities.features.tower import FeaturesTower
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.image.tower import ImageTower
from mmrec.modalities.item_id.tower import ItemIdTower
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.encoders import TEXT_ENCODERS
from mmrec.modalities.text.tower import TextTower
from mmrec.towers.fusion_base import Fusion

DIM = 8


def text_tower(**settings):
    config = TextConfig(**{"embedding_dim": 6, "units": 5, **settings})
    return TextTower(TextConfig.model_validate_json(config.model_dump_json()), 12, DIM)


def item_id_tower():
    return ItemIdTower(9, DIM)


def image_tower(**settings):
    config = ImageConfig(**{"weights": None, **settings})
    mean, deviation = np.linspace(0, 1, 7), np.linspace(1, 2, 7)
    return ImageTower(ImageConfig.model_validate_json(config.model_dump_json()), mean, deviation, DIM)


def audio_tower(**settings):
    config = AudioConfig(**{"bands": 8, "channels": 9, "layers": 2, **settings})
    mean, deviation = np.linspace(-1, 1, 8), np.linspace(1, 2, 8)
    return AudioTower(AudioConfig.model_validate_json(config.model_dump_json()), mean, deviation, DIM)


def features_tower(**settings):
    config = FeaturesConfig(**settings)
    mean, deviation = np.linspace(-1, 1, 4), np.linspace(1, 4, 4)
    return FeaturesTower(FeaturesConfig.model_validate_json(config.model_dump_json()), mean, deviation, DIM)


TEXTS = {
    **{f"text_{name}": partial(text_tower, encoder=name) for name in TEXT_ENCODERS if name != "lstm"},
    "text_bidirectional": partial(text_tower, bidirectional=True),
}
TOWERS = {
    **TEXTS,
    "text": text_tower,
    "item_id": item_id_tower,
    "image": image_tower,
    "audio": audio_tower,
    "features": features_tower,
}


def features():
    """Returns the features of five items: two have everything, two lack one thing, the last lacks all."""
    return {
        "text_tokens": tf.constant([[3, 4, 5, 11], [6, 7, 0, 0], [0, 0, 0, 0], [8, 0, 0, 0], [0, 0, 0, 0]]),
        "item_id_row": tf.constant([1, 9, 4, 0, 0]),
        "image_features": tf.constant(np.random.default_rng(1).normal(size=(5, 7)), tf.float32),
        "image_present": tf.constant([True, True, True, True, False]),
        "audio_mel": tf.constant(np.random.default_rng(3).normal(size=(5, 11, 8)), tf.float32),
        "audio_frames": tf.constant([11, 4, 0, 1, 0]),
        "features": tf.constant(np.random.default_rng(2).normal(size=(5, 4)), tf.float32),
        "features_present": tf.constant([True, True, True, False, False]),
    }


PRESENT = {
    **{name: [True, True, False, True, False] for name in TEXTS},
    "text": [True, True, False, True, False],
    "item_id": [True, True, True, False, False],
    "image": [True, True, True, True, False],
    "audio": [True, True, False, True, False],
    "features": [True, True, True, False, False],
}


def take(features, rows):
    """Returns the features of some of the items."""
    return {name: tf.gather(value, rows) for name, value in features.items()}


class OwnFusion(Fusion):
    """A user's fusion: the sum of what is present."""

    def __init__(self, modalities, dim):
        super().__init__(modalities, dim)
        self.offset = self.add_weight(name="offset", shape=[dim], initializer="ones")

    def call(self, vectors, present, training=False):
        masks = [tf.cast(mask, tf.float32)[:, tf.newaxis] for mask in present]
        return self.offset + tf.add_n([vector * mask for vector, mask in zip(vectors, masks, strict=True)])


class OwnHistory(layers.Layer):
    """A user's history tower: the latest item."""

    def __init__(self, dim, config):
        super().__init__()
        self.first = self.add_weight(name="first", shape=[dim], initializer="ones")

    def call(self, items, training=False):
        first = tf.tile(self.first[tf.newaxis, tf.newaxis], [tf.shape(items)[0], 1, 1])
        return tf.concat([first, items], axis=1)
