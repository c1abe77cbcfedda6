import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.errors import InputError
from mmrec.export.lint import lint_operations
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.pretrained import PooledTextTower, PretrainedText, PretrainedTextTower
from tests.presets import bert_preset

TOKENS = tf.constant([[3, 6, 7, 4, 0, 0], [3, 9, 4, 10, 4, 0], [0] * 6, [3, 11, 4, 0, 0, 0]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bert_preset(tmp_path_factory.mktemp("preset"))


def network(folder, trainable="all", width=6, seed=0):
    config = TextConfig(encoder="pretrained", preset=folder, trainable=trainable, lora_rank=2, dropout=0.0)
    return config, PretrainedText(config, width, seed)


def tower(folder, trainable="all", seed=0):
    config, read = network(folder, trainable, seed=seed)
    return PretrainedTextTower(config, read, 8)


def test_an_item_has_the_same_vector_alone_as_in_a_batch(folder):
    _, read = network(folder)
    together = read(TOKENS).numpy()
    assert together.shape == (4, 16)
    assert np.isfinite(together).all()
    for row, length in ((0, 4), (1, 5), (3, 3)):
        np.testing.assert_allclose(read(TOKENS[row : row + 1, :length])[0], together[row], atol=1e-5)
    assert read(TOKENS[:0]).shape == (0, 16)


@pytest.mark.parametrize(("trainable", "count"), [("none", 0), ("all", 37), ("lora", 12)])
def test_what_the_config_says_trains_and_nothing_else(folder, trainable, count):
    # Two layers of 16 variables and 5 of the embeddings; of LoRA, two matrices and the bias of two projections each.
    model = tower(folder, trainable)
    with tf.GradientTape() as tape:
        vectors, present = model({"text_tokens": TOKENS}, training=True)
        loss = tf.reduce_sum(vectors * tf.random.normal(vectors.shape, seed=1))
    assert present.numpy().tolist() == [True, True, False, True]
    assert len(model.network.trainable_variables) == count
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == count + 4  # the norm's and the projection's
    assert all(gradient is not None for gradient in gradients)
    before = [variable.numpy() for variable in model.network.variables]
    optimizer = tf_keras.optimizers.Adam(0.1)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    moved = sum(np.abs(a - b).max() > 0 for a, b in zip(before, model.network.variables, strict=True))
    assert (moved > 0) == (count > 0)
    assert moved <= count


def test_a_restored_tower_answers_as_the_saved_one(folder, tmp_path):
    saved, fresh = tower(folder, "lora"), tower(folder, "lora", seed=5)
    for variable in saved.network.trainable_variables:
        variable.assign_add(tf.ones_like(variable))
    want, before = saved({"text_tokens": TOKENS})[0], fresh({"text_tokens": TOKENS})[0]
    path = tf.train.Checkpoint(tower=saved).save(str(tmp_path / "tower"))
    tf.train.Checkpoint(tower=fresh).restore(path).assert_consumed()
    assert np.abs(before - want).max() > 1e-3
    np.testing.assert_array_equal(fresh({"text_tokens": TOKENS})[0], want)


def test_an_export_reads_texts_as_the_backbone_does(folder, tmp_path):
    _, read = network(folder)
    module = tf.Module()
    module.resources = read.variables

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def serve(tokens):
        return {"pooled": read(tokens, training=False)}

    tf.saved_model.save(module, str(tmp_path), signatures={"serve": serve})
    lint_operations(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["serve"]
    np.testing.assert_allclose(loaded(tokens=TOKENS)["pooled"], read(TOKENS), atol=1e-6)


def test_the_digest_follows_the_weights(folder):
    (_, one), (_, other) = network(folder), network(folder, "none")
    assert one.digest() == other.digest()
    one.trainable_variables[0].assign_add(tf.ones_like(one.trainable_variables[0]))
    assert one.digest() != other.digest()


def test_cached_outputs_are_standardised_and_masked():
    embedded = PooledTextTower(TextConfig(), [0.0, 2.0], [1.0, 2.0], 2)
    features = {"text_features": tf.constant([[1.0, 4.0], [0.0, 0.0]]), "text_present": tf.constant([True, False])}
    embedded(features)
    embedded.projection.set_weights([np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    vectors, present = embedded(features)
    assert vectors[0].numpy().tolist() == [1.0, 1.0]
    assert present.numpy().tolist() == [True, False]


def test_presets_that_cannot_serve_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"together must have at most 32 tokens, .* Received: 33"):
        network(folder, width=33)
    with pytest.raises(InputError, match=r"the backbone of .* cannot be loaded: .* Give a preset folder"):
        network(str(tmp_path / "none"))
