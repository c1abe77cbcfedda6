import numpy as np
import pytest
import tensorflow as tf

from mmrec.config.query import QueryConfig
from mmrec.modalities.attributes.config import AttributesConfig
from mmrec.modalities.attributes.tower import AttributesTower
from mmrec.towers.context import ContextTower, gap_bucket
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.history_recurrent import GRUHistory, MeanHistory
from mmrec.towers.query import QueryTower

BOTH = QueryConfig(context=("time_gap", "event"), dropout=0.0, context_dropout=0.0)
NAN = float("nan")
ITEMS = np.array([[[1, 0], [0, 1]]], np.float32)


def query_tower(config=BOTH, history=MeanHistory, user_tower=None):
    context = ContextTower(2, config, event_types=3, user_tower=user_tower)
    return QueryTower(history(2, config), FUSIONS["sum"](("text",), 2), unit=False, context_tower=context)


def test_gaps_double_from_bucket_to_bucket():
    time = np.array([[5, 5, 6, 7.99, 10, 1e20]])
    # Gaps 0, 1, 1.99, 2.01: below 2**-28.5 is 1, from 2**-0.5 on 30, from 2**0.5 on 31, from 2**27.5 on 58.
    assert gap_bucket(tf.constant(time)).numpy().tolist() == [[0, 1, 30, 31, 31, 58]]
    assert gap_bucket(tf.constant(time), 2.0).numpy().tolist() == [[0, 1, 29, 30, 30, 58]]


@pytest.mark.parametrize("unit", [1 / 86400, 1.0, 1e3, 1e6, 1e9])
def test_gaps_are_in_the_same_buckets_in_days_and_in_nanoseconds(unit):
    # Regression: all gaps of more than 18 minutes were one bucket in nanoseconds. Of whole multiples of the typical
    # gap, none is near an edge: 1, 30 and 7 days stay apart although float64 rounds nanoseconds since 1970 to 256.
    time = np.array([[1_700_000_123, 1_700_086_523, 1_702_678_523, 1_703_283_323]]) * unit
    assert gap_bucket(tf.constant(time), 86400 * unit).numpy().tolist() == [[0, 30, 35, 33]]


def test_a_gap_that_is_missing_or_negative_is_in_no_bucket():
    time = np.array([[3, NAN, 4, 2, np.inf]])
    assert gap_bucket(tf.constant(time)).numpy().tolist() == [[0, 0, 0, 0, 0]]


def test_gaps_between_large_times_keep_their_seconds():
    time = np.array([[1.7e9, 1.7e9 + 1, 1.7e9 + 4]])  # float32 would lose them
    assert gap_bucket(tf.constant(time)).numpy().tolist() == [[0, 30, 32]]


def test_before_training_no_context_changes_a_query():
    tower = query_tower()
    context = {"history_time": np.array([[1.0, 9, 30]]), "history_event": np.array([[1, 2]], np.int32)}
    np.testing.assert_array_equal(tower(ITEMS, context), tower(ITEMS))
    np.testing.assert_allclose(tower(ITEMS)[0, 1:], [[1, 0], [0.5, 0.5]])


def test_an_event_type_scales_and_shifts_its_item():
    tower = query_tower()
    tower.context_tower.event_item.assign([[0, 0, 0, 0], [-2, -2, 0, 3]])  # by type 1 and 2: scale, then shift
    context = {"history_event": np.array([[2, 1]], np.int32)}
    # The first item, (1, 0), becomes (-1, 3); the second stays (0, 1).
    np.testing.assert_allclose(tower(ITEMS, context)[0, 1:], [[-1, 3], [-0.5, 2]])


def test_the_gap_to_the_question_moves_the_query_and_that_between_items_changes_the_item():
    tower = query_tower()
    moved, changed = np.zeros((58, 2)), np.zeros((58, 4))
    moved[29], changed[29] = [10, 0], [0, 0, 0, 4]  # a gap of 1 is bucket 30, of which row 0 is not in the table
    tower.context_tower.gap_query.assign(moved)
    tower.context_tower.gap_item.assign(changed)
    # The second item came 1 after the first: so did the question of the first prefix. The last question came 8 later.
    vectors = tower(ITEMS, {"history_time": np.array([[0.0, 1, 9]])})
    np.testing.assert_allclose(vectors[0, 1:], [[11, 0], [0.5, 2.5]])


def test_users_move_the_queries_of_all_prefixes_where_anything_is_present():
    attributes = AttributesTower(AttributesConfig(dropout=0.0), sizes=[4], dim=2)
    tower = query_tower(user_tower=attributes)
    items = np.repeat(ITEMS, 3, axis=0)
    context = {
        "user_category": np.array([[2], [3], [0]], np.int32),
        "user_number": np.zeros((3, 0), np.float32),
        "user_known": np.array([[True], [True], [False]]),
    }
    moved = (tower(items, context) - tower(items)).numpy()
    np.testing.assert_allclose(moved, np.repeat(moved[:, :1], 3, axis=1), atol=1e-6)
    assert np.abs(moved[0] - moved[1]).max() > 1e-3
    assert not moved[2].any()


@pytest.fixture
def trained():
    """Returns a tower whose tables are no longer zero."""
    tf.keras.utils.set_random_seed(0)
    tower = query_tower(history=GRUHistory)
    for table in tower.context_tower.weights:
        table.assign(tf.random.normal(table.shape))
    return tower


@pytest.mark.parametrize("seen", range(4))
def test_a_prefix_knows_nothing_of_what_is_later_than_its_question(trained, seen):
    rng = np.random.default_rng(0)
    items = rng.normal(size=(2, 4, 2)).astype(np.float32)
    time, event = np.array([[0.0, 1, 3, 20, 21], [5, 5, 9, 9, 90]]), np.array([[1, 2, 0, 1], [2, 2, 1, 1]], np.int32)
    before = trained(items, {"history_time": time, "history_event": event}).numpy()
    items[:, seen:], event[:, seen:], time[:, seen + 1 :] = 7, 0, 1e6
    after = trained(items, {"history_time": time, "history_event": event}).numpy()
    np.testing.assert_array_equal(after[:, : seen + 1], before[:, : seen + 1])
    assert (np.abs(after[:, seen + 1] - before[:, seen + 1]).max(axis=1) > 1e-3).all()


def test_what_is_unknown_is_read_like_what_is_missing(trained):
    unknown = {"history_time": np.full((1, 3), NAN), "history_event": np.zeros((1, 2), np.int32)}
    np.testing.assert_array_equal(trained(ITEMS, unknown), trained(ITEMS))


def test_training_hides_the_context_of_some_histories():
    tower = query_tower(QueryConfig(context=("event",), dropout=0.0, context_dropout=0.5))
    tower.context_tower.event_item.assign([[0, 0, 5, 5], [0, 0, 5, 5]])
    items, context = np.repeat(ITEMS, 200, axis=0), {"history_event": np.ones((200, 2), np.int32)}
    tf.keras.utils.set_random_seed(0)
    shift = (tower(items, context, training=True) - tower(items)).numpy()[:, 2, 0]
    assert sorted(set(shift.tolist())) == [0, 5]
    assert 70 < (shift == 0).sum() < 130
    assert (tower(items, context) - tower(items)).numpy()[:, 2, 0].tolist() == [5] * 200
