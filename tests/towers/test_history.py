import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.config.query import QueryConfig
from mmrec.errors import InputError
from mmrec.registry import find
from mmrec.towers.history import HISTORY_TOWERS

OWN = "tests.towers.worlds:OwnHistory"


@pytest.fixture(params=[*HISTORY_TOWERS, OWN])
def make(request):
    tf_keras.utils.set_random_seed(3)
    config = QueryConfig.model_validate_json(QueryConfig(history=request.param, dropout=0.2).model_dump_json())
    return lambda: find("history tower", config.history, HISTORY_TOWERS)(6, config)


@pytest.fixture
def items():
    drawn = np.random.default_rng(0).normal(size=(3, 5, 6)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=2, keepdims=True)


def test_each_prefix_gets_a_vector(make, items):
    vectors = make()(items)
    assert (vectors.shape, vectors.dtype) == ((3, 6, 6), tf.float32)
    assert (np.linalg.norm(vectors, axis=2) > 1e-3).all()


@pytest.mark.parametrize("seen", range(5))
def test_a_prefix_knows_nothing_of_what_comes_later(make, items, seen):
    tower, later = make(), items.copy()
    later[:, seen:] = np.random.default_rng(1).normal(size=later[:, seen:].shape) * 50
    before, after = tower(items).numpy(), tower(later).numpy()
    np.testing.assert_array_equal(after[:, : seen + 1], before[:, : seen + 1])
    assert (np.abs(after[:, seen + 1] - before[:, seen + 1]).max(axis=1) > 1e-3).all()


def test_a_query_does_not_depend_on_the_padding_behind_it(make, items):
    tower = make()
    whole = tower(items).numpy()
    for length in (1, 3):
        np.testing.assert_allclose(tower(items[:, :length])[:, length], whole[:, length], atol=1e-5)
    padded = np.concatenate([items, np.full((3, 40, 6), 7.0, np.float32)], axis=1)
    np.testing.assert_allclose(tower(padded)[:, 5], whole[:, 5], atol=1e-5)


def test_no_history_is_one_answer_for_everybody(make, items):
    tower = make()
    first = tower(items).numpy()[:, 0]
    np.testing.assert_array_equal(first, np.repeat(first[:1], 3, axis=0))
    np.testing.assert_array_equal(tower(items * 3).numpy()[:, 0], first)


def test_users_do_not_see_each_other_and_a_graph_answers_the_same(make, items):
    tower = make()
    together = tower(items)
    np.testing.assert_allclose(tf.function(tower)(items), together, atol=1e-5)
    for user in range(3):
        np.testing.assert_allclose(tower(items[user : user + 1])[0], together[user], atol=1e-5)


def test_gradients_reach_every_variable_and_every_item_that_was_seen(make, items):
    tower, read = make(), tf.constant(items)
    with tf.GradientTape() as tape:
        tape.watch(read)
        vectors = tower(read)[:, :4]
        loss = tf.reduce_sum(vectors * tf.random.normal(vectors.shape, seed=1))
    gradients, by_item = tape.gradient(loss, [tower.trainable_variables, read])
    assert gradients
    for gradient, variable in zip(gradients, tower.trainable_variables, strict=True):
        assert gradient is not None, variable.name
        assert np.abs(gradient).max() > 0, variable.name
    reached = np.abs(by_item.numpy()).max(axis=2) > 0
    assert reached[:, :3].all()
    assert not reached[:, 3:].any()


def test_a_restored_tower_answers_as_the_saved_one(make, items, tmp_path):
    saved, fresh = make(), make()
    saved(items), fresh(items)
    for variable in saved.trainable_variables:
        variable.assign_add(tf.random.normal(variable.shape, seed=2))
    path = tf.train.Checkpoint(tower=saved).save(str(tmp_path / "tower"))
    before = fresh(items).numpy()
    tf.train.Checkpoint(tower=fresh).restore(path).assert_consumed()
    assert np.abs(before - saved(items)).max() > 1e-3
    np.testing.assert_array_equal(fresh(items), saved(items))


@pytest.mark.parametrize("name", HISTORY_TOWERS)
def test_dropout_acts_in_training_only(name, items):
    tower = HISTORY_TOWERS[name](6, QueryConfig(dropout=0.5))
    np.testing.assert_array_equal(tower(items), tower(items, training=False))
    assert np.abs(tower(items, training=True) - tower(items)).max() > 1e-3


def test_the_mean_tower_gives_the_mean_of_the_items_so_far():
    items = np.array([[[1, 0], [0, 1], [0, 1]]], np.float32)
    actual = HISTORY_TOWERS["mean"](2, QueryConfig(dropout=0.0))(items).numpy()[0]
    np.testing.assert_allclose(actual[1:], [[1, 0], [0.5, 0.5], [0.333333, 0.666667]], atol=1e-5)


@pytest.mark.parametrize("name", HISTORY_TOWERS)
def test_the_order_of_a_history_counts_but_for_the_mean(name, items):
    tower = HISTORY_TOWERS[name](6, QueryConfig(dropout=0.0))
    tower(items)
    for variable in tower.trainable_variables:  # fresh positions are too small to tell
        variable.assign(np.random.default_rng(1).normal(size=variable.shape) * 0.5)
    difference = np.abs(tower(items)[:, 5] - tower(items[:, ::-1])[:, 5]).max()
    assert difference < 1e-5 if name == "mean" else difference > 1e-3


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(
        InputError, match=r"`query\.heads` must divide the width of the item embedding, 6\. Received: 4"
    ):
        HISTORY_TOWERS["transformer"](6, QueryConfig(heads=4))


def test_an_unknown_history_tower_is_refused_by_name():
    with pytest.raises(InputError, match=r"is called 'lsmt'\. Did you mean `lstm`\? Known: mean, lstm, gru"):
        find("history tower", "lsmt", HISTORY_TOWERS)
