from types import MappingProxyType

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from mmrec.config.item import ItemConfig
from mmrec.errors import InputError
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.fusion_base import Fusion
from tests.towers.worlds import TOWERS, features, take

OWN = "tests.towers.worlds:OwnFusion"


@pytest.fixture(params=[*FUSIONS, OWN])
def fusion(request):
    tf_keras.utils.set_random_seed(3)
    return ItemConfig.model_validate_json(ItemConfig(fusion=request.param).model_dump_json()).fusion


def make(fusion, modalities=("image", "text", "features", "item_id"), hidden=MappingProxyType({})):
    return CandidateTower({modality: TOWERS[modality]() for modality in modalities}, fusion, 8, hidden)


SUBSETS = [*((modality,) for modality in sorted(TOWERS)), ("image", "text", "item_id")]


@pytest.mark.parametrize("modalities", SUBSETS, ids="+".join)
def test_items_get_unit_vectors_whatever_they_have(fusion, modalities):
    tower = make(fusion, modalities)
    vectors = tower(features())
    width = 8 * len(modalities) if fusion.startswith("late") else 8
    assert (vectors.shape, vectors.dtype, tower.fusion.output_dim) == ((5, width), tf.float32, width)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_what_is_absent_does_not_show_in_the_vector(fusion):
    tower, plain = make(fusion), features()
    other = plain["image_features"] + tf.constant([[0.0], [0], [0], [0], [9]])  # the last item has no photo
    np.testing.assert_array_equal(tower(plain), tower(plain | {"image_features": other}))
    other = plain["features"] + tf.constant([[0.0], [0], [0], [9], [9]])
    np.testing.assert_array_equal(tower(plain), tower(plain | {"features": other}))


def test_what_is_present_shows_in_the_vector(fusion):
    tower, plain = make(fusion), features()
    before = tower(plain).numpy()
    changed = {
        "text_tokens": plain["text_tokens"] + tf.constant([[1, 0, 0, 0], *[[0] * 4] * 4]),
        "item_id_row": plain["item_id_row"] + tf.constant([1, 0, 0, 0, 0]),
        "image_features": plain["image_features"] + tf.constant([[1.0], [0], [0], [0], [0]]),
        "features": plain["features"] + tf.constant([[1.0], [0], [0], [0], [0]]),
    }
    for name, value in changed.items():
        after = tower(plain | {name: value}).numpy()
        assert np.abs(after[0] - before[0]).max() > 1e-4, name
        np.testing.assert_array_equal(after[1:], before[1:])


def test_an_item_is_embedded_alone_as_in_a_batch_and_in_a_graph_as_eagerly(fusion):
    tower = make(fusion)
    together = tower(features())
    np.testing.assert_allclose(tf.function(tower)(features()), together, atol=1e-5)
    for row in range(5):
        np.testing.assert_allclose(tower(take(features(), [row]))[0], together[row], atol=1e-5)


def test_every_trainable_variable_gets_a_finite_gradient(fusion):
    tower = make(fusion)
    with tf.GradientTape() as tape:
        vectors = tower(features(), training=True)
        queries = tower.fusion.query(tf.random.normal(vectors.shape, seed=2))  # some weights are for queries alone
        loss = tf.reduce_sum((vectors + queries) * tf.random.normal(vectors.shape, seed=1))
    variables = tower.trainable_variables
    for gradient, variable in zip(tape.gradient(loss, variables), variables, strict=True):
        assert gradient is not None, variable.name
        size = np.abs(tf.convert_to_tensor(gradient)).max()
        # An item of which nothing is present once had a gradient of 1e6: its vector was all zeros before the norm.
        assert 0 < size < 1000, variable.name


def test_a_restored_tower_answers_as_the_saved_one(fusion, tmp_path):
    saved, fresh = make(fusion), make(fusion)
    want, before = saved(features()).numpy(), fresh(features()).numpy()
    path = tf.train.Checkpoint(tower=saved).save(str(tmp_path / "tower"))
    tf.train.Checkpoint(tower=fresh).restore(path).assert_consumed()
    assert np.abs(before - want).max() > 1e-3
    np.testing.assert_array_equal(fresh(features()), want)


def test_a_users_own_fusion_decides_the_vector():
    tower = make(OWN, ["text"])
    vectors, (vector, _) = tower(features()).numpy(), tower.towers["text"](features())
    want = vector.numpy()[0] + 1
    np.testing.assert_allclose(vectors[0], want / np.linalg.norm(want), atol=1e-5)
    np.testing.assert_allclose(vectors[2], np.full(8, 8**-0.5), atol=1e-5)  # no text: the offset of ones alone


class Fixed(layers.Layer):
    """A tower whose vectors are ones, and whose presence comes from the features."""

    def __init__(self, modality):
        super().__init__()
        self._modality = modality

    def call(self, features, training=False):
        present = features[self._modality]
        return tf.ones([tf.size(present), 1]), present


class Seen(Fusion):
    """Keeps what was present."""

    def call(self, vectors, present, training=False):
        self.present = tf.stack(present, axis=1)
        return vectors[0]


def kept(hidden, present, training=True):
    """Returns bool [B, M], what remains of `present` (by modality) after hiding."""
    towers = {modality: Fixed(modality) for modality in present}
    tower = CandidateTower(towers, "tests.towers.test_candidate:Seen", 1, hidden)
    tower({modality: tf.constant(values) for modality, values in present.items()}, training=training)
    return tower.fusion.present.numpy()


def test_modalities_are_hidden_at_their_rates_one_by_one():
    tf.random.set_seed(0)
    left = kept({"text": 0.1, "item_id": 0.3}, dict.fromkeys(["text", "image", "item_id"], [True] * 4000))
    hidden = 1 - left.mean(axis=0)
    assert hidden == pytest.approx([0.1, 0.0, 0.3], abs=0.03)  # four standard errors
    assert (~left[:, 0] & ~left[:, 2]).mean() == pytest.approx(0.03, abs=0.011)


def test_an_item_keeps_the_last_thing_that_it_has():
    tf.random.set_seed(0)
    text, image = np.repeat([True, False, True, False], 1000), np.repeat([True, True, False, False], 1000)
    left = kept({"text": 0.9, "image": 0.9}, {"text": text, "image": image})
    here = np.stack([text, image], axis=1)
    assert not (left & ~here).any()
    np.testing.assert_array_equal(left.any(axis=1), here.any(axis=1))
    np.testing.assert_array_equal(left[1000:], here[1000:])
    # Both are drawn to be hidden in 81 of 100 items; then either stays: 1 - .1 - .81 / 2 of each are hidden.
    assert 1 - left[:1000].mean(axis=0) == pytest.approx([0.495, 0.495], abs=0.07)


def test_nothing_is_hidden_outside_training():
    present = dict.fromkeys(["text", "image"], [True] * 100)
    assert kept({"text": 0.9, "image": 0.9}, present, training=False).all()
    assert not kept({"text": 0.9, "image": 0.9}, present).all()


def test_hiding_is_drawn_anew_in_each_step_of_a_graph():
    towers = {modality: Fixed(modality) for modality in ("text", "image")}
    tower = CandidateTower(towers, "tests.towers.test_candidate:Seen", 1, {"image": 0.5})

    @tf.function
    def step(features):
        tower(features, training=True)
        return tower.fusion.present

    present = dict.fromkeys(towers, tf.fill([50], True))
    assert len({step(present).numpy().tobytes() for _ in range(4)}) == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("concatenaton", "no fusion is called 'concatenaton'. Did you mean `concatenation`? Known: concatenation, sum"),
        ("nowhere.at_all:Fusion", "the fusion 'nowhere.at_all:Fusion' cannot be imported: No module named 'nowhere'"),
        ("tests.towers.worlds:Missing", "cannot be imported: module 'tests.towers.worlds' has no attribute 'Missing'"),
        (":Fusion", "cannot be imported"),
    ],
)
def test_an_unknown_fusion_is_refused_by_name(name, said):
    with pytest.raises(InputError) as error:
        make(name)
    assert said in str(error.value)
