"""What every network must do as a backbone; ResNet50, the default, has its own tests in test_tower.py."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.errors import InputError
from mmrec.modalities.image.backbones import BACKBONES, find_backbone, preprocessing, top_layers
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.image.reader import ImageReader
from mmrec.modalities.image.tower import Backbone

# Name, size in pixels, width of the features, first and last layer with weights of the last stage.
NETWORKS = [
    ("mobilenetv2", 48, 1280, "block_13_depthwise", "Conv_1_bn"),
    pytest.param(("efficientnetb0", 32, 1280, "block6a_dwconv", "top_bn"), marks=pytest.mark.slow),
    pytest.param(("xception", 75, 2048, "conv2d_3", "block14_sepconv2_bn"), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda row: row[0])
def network(request):
    """Returns a row of `NETWORKS`, its backbone, and three photos."""
    name, size, *_ = request.param
    tf_keras.backend.clear_session()  # layers without a name of their own are numbered from 1
    backbone = Backbone(ImageConfig(backbone=name, size=size, weights=None, trainable="top"), 0)
    return request.param, backbone, np.random.default_rng(0).integers(0, 256, (3, size, size, 3)).astype(np.uint8)


def close(actual, expected):
    """Compares features of any size to 1e-3 of their largest."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3 * float(np.abs(expected).max()))


def test_photos_become_finite_features_each_its_own_alone_as_in_a_batch(network):
    (_, _, width, *_), backbone, pixels = network
    image = backbone(pixels).numpy()
    assert (image.shape, image.dtype, backbone.feature_dim) == ((3, width), np.float32, width)
    assert np.isfinite(image).all()
    assert np.abs(image[0] - image[1]).max() > 1e-2 * np.abs(image).max()
    close(backbone(pixels[1:2])[0], image[1])
    assert backbone(pixels[:0]).shape == (0, width)


def test_pixels_are_preprocessed_as_the_network_asks(network):
    (name, *_), backbone, pixels = network
    seen = []
    network, backbone.network = backbone.network, lambda scaled, training: seen.append(scaled) or scaled
    try:
        backbone(np.full((1, *pixels.shape[1:]), [0, 127.5, 255], np.float32))
    finally:
        backbone.network = network
    # EfficientNet scales inside the network, the others take -1..1.
    expected = [0, 127.5, 255] if name == "efficientnetb0" else [-1, 0, 1]
    np.testing.assert_allclose(seen[0][0, 0, 0], expected, atol=1e-6)


def test_top_trains_the_last_stage(network):
    (_, _, _, first, last), backbone, _ = network
    layers = [layer.name for layer in backbone.network.layers if layer.trainable and layer.weights]
    assert (layers[0], layers[-1]) == (first, last)
    assert {layer.name for layer in backbone.network.layers if layer.trainable} == {
        layer.name for layer in top_layers(backbone.network)
    }
    sizes = [sum(int(np.prod(v.shape)) for v in actual) for actual in (backbone.trainable_variables, backbone.weights)]
    assert 0.2 < sizes[0] / sizes[1] < 0.9


@pytest.mark.slow
def test_a_reloaded_graph_reads_photos_as_it_does_here(network, tmp_path):
    (_, size, width, *_), backbone, pixels = network
    reader = ImageReader(backbone, size)

    class Export(tf.Module):
        @tf.function(input_signature=list(reader.inputs.values()))
        def read(self, files):
            return reader({"image_bytes": files})._asdict()

    module = Export()
    module.resources = reader.resources
    tf.saved_model.save(module, str(tmp_path))
    files = tf.stack([*map(tf.io.encode_png, pixels[:2]), b"broken", b"", tf.io.encode_png(pixels[2])])
    loaded = tf.saved_model.load(str(tmp_path))
    actual = loaded.read(files)
    close(actual["features"]["image_features"].numpy()[[0, 1, 4]], backbone(pixels).numpy())
    assert (actual["features"]["image_features"].numpy()[2:4] == 0).all()
    assert actual["present"].numpy().tolist() == [True, True, False, False, True]
    assert actual["status"].numpy().tolist() == [0, 0, 1, 0, 0]
    for none in (files[2:4], files[:0]):
        assert loaded.read(none)["features"]["image_features"].shape == (len(none), width)


def test_a_network_is_loaded_whatever_the_case_of_its_name():
    assert ImageConfig(backbone="EfficientNetB0").backbone == "efficientnetb0"
    assert find_backbone("efficientnetb0") is tf_keras.applications.EfficientNetB0


def test_every_network_has_its_own_preprocessing():
    assert len(BACKBONES) == 71
    assert all(callable(preprocessing(name)) for name in BACKBONES)


def test_an_unknown_network_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"Did you mean `mobilenetv2`\? Received: 'mobilenetv22'. Known: convnext"):
        Backbone(ImageConfig(backbone="mobilenetv22", weights=None), 0)


def test_a_size_that_is_too_small_for_the_network_is_refused():
    with pytest.raises(InputError, match=r"`item.image.size`: too small for InceptionV3: .* at least 75x75"):
        Backbone(ImageConfig(backbone="inceptionv3", size=74, weights=None), 0)


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "weights.h5"
    tf_keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(path)
    with pytest.raises(InputError, match=r"`item.image.weights`: .*weights\.h5' cannot be loaded into MobileNetV2: "):
        Backbone(ImageConfig(backbone="mobilenetv2", size=32, weights=str(path)), 0)


def test_the_last_stage_of_a_network_without_strides_at_its_end_has_weights():
    vgg = tf_keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    assert [layer.name for layer in top_layers(vgg) if layer.weights] == [f"block5_conv{i}" for i in (1, 2, 3)]
