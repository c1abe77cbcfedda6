from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from tf_keras import layers

from mmrec.errors import InputError
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.encoders import POSITIONS, TEXT_ENCODERS, Convolutional, Mean
from tests.towers.worlds import TEXTS, text_tower

MAKERS = {"lstm": text_tower, **TEXTS}


@pytest.fixture(params=sorted(MAKERS))
def make(request):
    tf.keras.utils.set_random_seed(3)
    return MAKERS[request.param]


def read(tower, *rows):
    return tower({"text_tokens": tf.constant(rows)})[0].numpy()


def test_padding_behind_a_text_changes_nothing(make):
    tower = make()
    np.testing.assert_allclose(read(tower, [3, 4]), read(tower, [3, 4, 0, 0, 0, 0]), atol=1e-6)
    np.testing.assert_allclose(read(tower, [3]), read(tower, [3, 0, 0, 0, 0, 0]), atol=1e-6)
    np.testing.assert_allclose(read(tower, [0]), read(tower, [0, 0, 0]), atol=1e-6)


def test_a_batch_without_items_is_answered(make):
    tower = make()
    read(tower, [3, 4])
    assert tower({"text_tokens": tf.zeros([0, 4], tf.int32)})[0].shape == (0, 8)


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"text_mean"}))
def test_the_order_of_words_counts(name):
    tf.keras.utils.set_random_seed(3)
    vectors = read(MAKERS[name](), [3, 4, 5], [5, 4, 3])
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4


def test_dropout_is_active_in_training_only(make):
    tower, tokens = make(dropout=0.5), {"text_tokens": tf.constant([[3, 4, 5]])}
    np.testing.assert_array_equal(tower(tokens)[0], tower(tokens)[0])
    assert np.abs(tower(tokens, training=True)[0] - tower(tokens)[0]).max() > 1e-3


def test_reading_from_the_end_too_doubles_the_width():
    embedded, mask = tf.ones([2, 3, 6]), tf.ones([2, 3], tf.bool)
    for name in ("lstm", "gru"):
        one, two = (TextConfig(units=5, bidirectional=both) for both in (False, True))
        assert TEXT_ENCODERS[name](one)(embedded, mask).shape == (2, 5)
        assert TEXT_ENCODERS[name](two)(embedded, mask).shape == (2, 10)


def test_the_mean_is_that_of_the_tokens():
    embedded = tf.constant([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]]])
    assert Mean(TextConfig())(embedded, tf.constant([[True, True, False]])).numpy().tolist() == [[2.0, 4.0]]


def test_a_convolution_answers_with_its_largest_value_in_the_text():
    encoder = Convolutional(TextConfig(units=1))
    embedded, mask = tf.constant([[[1.0], [2.0], [4.0], [50.0]]]), tf.constant([[True, True, True, False]])
    encoder(embedded, mask)
    for convolution in encoder.convolutions:
        convolution.set_weights([np.ones_like(convolution.get_weights()[0]), np.array([-1.0], np.float32)])
    # Sums over 2, 3 and 4 tokens, less 1; what stands behind the text counts as 0.
    assert encoder(embedded, mask).numpy().tolist() == [[5.0, 6.0, 6.0]]


def test_a_transformer_reads_texts_longer_than_its_positions():
    tower = text_tower(encoder="transformer", layers=1)
    long = np.resize([3, 4, 5], POSITIONS + 40)
    assert np.isfinite(read(tower, long.tolist())).all()


class LastToken(layers.Layer):
    """A user's encoder."""

    def __init__(self, config):
        super().__init__()

    def call(self, embedded, mask, training=False):
        last = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1) - 1
        return tf.gather(embedded, last, batch_dims=1)


def test_a_users_own_encoder_is_imported_by_its_import_path():
    tower = text_tower(encoder="tests.modalities.text.test_encoders:LastToken")
    np.testing.assert_allclose(read(tower, [3, 7, 0]), read(tower, [9, 7, 0]), atol=1e-6)
    with pytest.raises(InputError, match=r"no text encoder is called 'lstn'\. Did you mean `lstm`?"):
        text_tower(encoder="lstn")


def test_impossible_settings_are_refused():
    for settings, message in (
        ({"encoder": "pretrained"}, "`encoder: pretrained` needs `preset`"),
        ({"tokenizer": "bytepair", "vocabulary_size": 257}, "a `vocabulary_size` of 258 or more"),
    ):
        with pytest.raises(ValueError, match=message):
            partial(TextConfig, **settings)()
