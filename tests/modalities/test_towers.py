import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.towers.worlds import (
    PRESENT,
    TOWERS,
    audio_tower,
    features,
    features_tower,
    image_tower,
    item_id_tower,
    take,
    text_tower,
)


@pytest.fixture(params=sorted(TOWERS))
def modality(request):
    tf_keras.utils.set_random_seed(3)
    return request.param


def test_a_tower_gives_a_vector_per_item_and_says_who_has_one(modality):
    vectors, present = TOWERS[modality]()(features())
    assert (vectors.shape, vectors.dtype) == ((5, 8), tf.float32)
    assert (present.shape, present.dtype) == ((5,), tf.bool)
    assert present.numpy().tolist() == PRESENT[modality]
    assert np.isfinite(vectors.numpy()).all()


def test_different_items_get_different_vectors(modality):
    vectors = TOWERS[modality]()(features())[0].numpy()
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3


def test_a_tower_answers_the_same_as_a_graph(modality):
    tower = TOWERS[modality]()
    eager = tower(features())
    traced = tf.function(lambda actual: tower(actual, training=False))(features())
    np.testing.assert_allclose(eager[0], traced[0], atol=1e-6)
    assert traced[1].numpy().tolist() == PRESENT[modality]


def test_an_item_has_the_same_vector_alone_as_in_a_batch(modality):
    tower = TOWERS[modality]()
    together = tower(features())[0]
    for row in range(5):
        alone, present = tower(take(features(), [row]))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)
        assert present.numpy().tolist() == [PRESENT[modality][row]]


def test_every_trainable_variable_gets_a_gradient(modality):
    tower = TOWERS[modality]()
    with tf.GradientTape() as tape:
        vectors, _ = tower(features(), training=True)
        loss = tf.reduce_sum(vectors * tf.random.normal(vectors.shape, seed=1))
    gradients = tape.gradient(loss, tower.trainable_variables)
    assert tower.trainable_variables
    for gradient, variable in zip(gradients, tower.trainable_variables, strict=True):
        assert gradient is not None, variable.name
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.name


def test_a_restored_tower_answers_as_the_saved_one(modality, tmp_path):
    saved, fresh = TOWERS[modality](), TOWERS[modality]()
    want, before = saved(features())[0].numpy(), fresh(features())[0].numpy()
    path = tf.train.Checkpoint(tower=saved).save(str(tmp_path / "tower"))
    tf.train.Checkpoint(tower=fresh).restore(path).assert_consumed()
    assert np.abs(before - want).max() > 1e-3
    np.testing.assert_array_equal(fresh(features())[0], want)


def test_nothing_varies_outside_training():
    for make in (text_tower, image_tower, audio_tower, features_tower):
        tower = make(dropout=0.9)
        first, second = tower(features()), tower(features())
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("make", [text_tower, image_tower, audio_tower, features_tower])
def test_dropout_changes_the_vectors_in_training(make):
    tower = make(dropout=0.5)
    assert np.abs(tower(features(), training=True)[0] - tower(features())[0]).max() > 1e-3


def test_no_row_of_a_text_batch_is_fully_masked(monkeypatch):
    # Keras leaves cuDNN's LSTM for a slow loop as soon as one row of a batch is; every training batch has the padding.
    tower, seen = text_tower(), []
    lstm = tower.encoder.reader
    read = lstm.call
    monkeypatch.setattr(lstm, "call", lambda inputs, mask, **_: seen.append(mask) or read(inputs, mask=mask))
    tower(features())
    assert seen[0].numpy().tolist() == [
        [True, True, True, True],
        [True, True, False, False],
        [True, False, False, False],
        [True, False, False, False],
        [True, False, False, False],
    ]


def test_an_id_table_has_a_row_for_each_trained_item_and_one_for_the_others():
    tower = item_id_tower()
    tower(features())
    assert tower.embedding.embeddings.shape == (10, 8)


def test_photo_features_are_standardised_and_clipped():
    tower = image_tower()
    tower(features())
    tower.projection.set_weights([np.eye(7, 8, dtype=np.float32), np.zeros(8, np.float32)])
    photos = np.zeros((1, 7), np.float32)
    photos[0, :3] = [4.0, 100.0, -100.0]  # the means are 0, 1/6, 1/3; the deviations 1, 7/6, 4/3
    vectors = tower({"image_features": tf.constant(photos), "image_present": tf.constant([True])})[0].numpy()[0]
    np.testing.assert_allclose(vectors[:4], [4.0, 5.0, -5.0, -0.5 / 1.5], atol=1e-6)


def test_ready_made_features_are_standardised_and_clipped():
    tower = features_tower()
    tower(features())
    tower.projection.set_weights([np.eye(4, 8, dtype=np.float32), np.zeros(8, np.float32)])
    inputs = {"features": tf.constant([[1.0, 100.0, -100.0, 1.0]]), "features_present": tf.constant([True])}
    # The means are -1, -1/3, 1/3, 1; the deviations 1, 2, 3, 4.
    np.testing.assert_allclose(tower(inputs)[0].numpy()[0, :4], [2.0, 5.0, -5.0, 0.0], atol=1e-6)
