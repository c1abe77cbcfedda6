import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.errors import InputError
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.image.tower import Backbone, ImageTower


def make(seed=0, **settings):
    return Backbone(ImageConfig(**{"weights": None, "size": 32, **settings}), seed)


@pytest.fixture(scope="module")
def frozen():
    return make()


@pytest.fixture(scope="module")
def top():
    return make(trainable="top")


@pytest.fixture(scope="module")
def everything():
    return make(trainable="all")


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)


def tower_on(backbone):
    return ImageTower(ImageConfig(dropout=0.0), np.zeros(2048), np.ones(2048), 8, backbone=backbone)


def batch(pixels, at, items=4):
    return {
        "image_features": tf.ones([items, 2048]),
        "image_present": tf.ones([items], tf.bool),
        "pixels": tf.constant(pixels, tf.float32),
        "pixels_at": tf.constant(at, tf.int32),
    }


def test_photos_become_2048_features_and_each_its_own(frozen, pixels):
    image = frozen(pixels).numpy()
    assert (image.shape, image.dtype, frozen.feature_dim) == ((3, 2048), np.float32, 2048)
    assert np.abs(image[0] - image[1]).max() > 1e-4
    np.testing.assert_allclose(frozen(pixels[1:2])[0], image[1], atol=1e-4, rtol=1e-3)


def test_pixels_are_preprocessed_as_keras_preprocesses_for_resnet(frozen, pixels):
    want = frozen.network(tf_keras.applications.resnet.preprocess_input(pixels.astype(np.float32)))
    np.testing.assert_allclose(frozen(pixels), want, atol=1e-5)
    # By hand: red 10, green 20, blue 30 becomes blue, green, red less the means 103.939, 116.779 and 123.68.
    seen = []
    network, frozen.network = frozen.network, lambda scaled, training: seen.append(scaled) or scaled
    try:
        frozen(np.full((1, 32, 32, 3), [10, 20, 30], np.uint8))
    finally:
        frozen.network = network
    np.testing.assert_allclose(seen[0][0, 0, 0], [30 - 103.939, 20 - 116.779, 10 - 123.68], atol=1e-4)


def test_bytes_and_floats_are_the_same_photo(frozen, pixels):
    np.testing.assert_array_equal(frozen(pixels), frozen(pixels.astype(np.float32)))


def test_a_seed_draws_one_network_and_another_seed_another(frozen):
    assert frozen.digest() == make().digest()
    assert frozen.digest() != make(seed=1).digest()


def test_a_frozen_backbone_trains_nothing(frozen):
    assert frozen.trainable_variables == []
    assert len(frozen.non_trainable_variables) == 318


def test_top_trains_the_last_stage_only(top):
    names = {variable.name.split("_")[0] for variable in top.trainable_variables}
    assert names == {"conv5"}
    # Three blocks of three convolutions and a shortcut: 10 times kernel, bias, gamma and beta.
    assert len(top.trainable_variables) == 40


def test_all_trains_every_layer(everything):
    names = {variable.name.split("_")[0] for variable in everything.trainable_variables}
    assert names == {"conv1", "conv2", "conv3", "conv4", "conv5"}
    assert len(everything.trainable_variables) == 212  # 53 convolutions


def test_only_a_random_network_that_trains_whole_learns_its_batch_statistics(everything, top, pixels):
    before = top.digest()
    np.testing.assert_array_equal(top(pixels, training=True), top(pixels))
    assert top.digest() == before
    before = everything.digest()
    assert np.abs(everything(pixels, training=True) - everything(pixels)).max() > 1e-3
    assert everything.digest() != before


def test_a_local_weights_file_is_loaded_and_keeps_its_statistics(frozen, pixels, tmp_path):
    path = tmp_path / "weights.h5"
    frozen.network.save_weights(path)
    loaded = make(seed=5, weights=str(path), trainable="all")
    assert loaded.digest() == frozen.digest()
    np.testing.assert_array_equal(loaded(pixels, training=True), loaded(pixels))
    assert loaded.digest() == frozen.digest()


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_a_weights_file_that_cannot_be_loaded_is_refused_by_name(content, tmp_path):
    path = tmp_path / "weights.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"`item.image.weights`: .*weights\.h5' cannot be loaded into ResNet50") as e:
        make(weights=str(path))
    assert "or null for random weights" in str(e.value)


def test_pixels_replace_the_features_of_their_rows_and_no_others(top, pixels):
    tower = tower_on(top)
    plain = tower({name: value for name, value in batch(pixels, []).items() if not name.startswith("pixels")})[0]
    vectors = tower(batch(pixels[:2], [3, 1]))[0]
    np.testing.assert_array_equal(vectors.numpy()[[0, 2]], plain.numpy()[[0, 2]])
    want = tower.projection(tf.clip_by_value(top(pixels[:2]), -5, 5))
    np.testing.assert_allclose(vectors.numpy()[[3, 1]], want, atol=1e-5)
    assert np.abs(vectors - plain)[[1, 3]].max() > 1e-3


def test_pixels_give_gradients_to_what_trains_of_the_backbone(top, pixels):
    tower = tower_on(top)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tower(batch(pixels, [0, 2, 3]), training=True)[0] ** 2)
    variables = tower.trainable_variables
    assert len(variables) == 42  # of the backbone 40, of the projection 2
    gradients = zip(variables, tape.gradient(loss, variables), strict=True)
    sizes = {variable.name: float(tf.reduce_max(tf.abs(gradient))) for variable, gradient in gradients}
    assert all(np.isfinite(size) for size in sizes.values())
    assert min(size for name, size in sizes.items() if "kernel" in name or "gamma" in name) > 0


def test_a_step_without_photos_has_gradients_of_zero(top, pixels):
    tower = tower_on(top)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tower(batch(pixels[:0], []), training=True)[0] ** 2)
    gradients = tape.gradient(loss, top.trainable_variables)
    assert max(float(tf.reduce_max(tf.abs(gradient))) for gradient in gradients) == 0


def test_a_tower_without_a_backbone_ignores_pixels(pixels):
    tower = tower_on(None)
    plain = tower(batch(pixels, [0, 1, 2]))[0].numpy()
    np.testing.assert_allclose(plain, np.repeat(plain[:1], 4, axis=0), atol=1e-6)
