import numpy as np

from mmrec.data.features import JoinedFeatures, in_batches
from mmrec.modalities.features.features import VectorFeatures
from mmrec.modalities.item_id.features import ItemIdFeatures
from mmrec.modalities.text.features import TextFeatures


def test_tokens_are_cut_to_the_longest_of_the_rows_asked_for():
    source = TextFeatures(np.array([[5, 6, 7, 0], [8, 0, 0, 0], [0, 0, 0, 0]], np.int32))
    assert source.rows(np.array([2, 0, 1]))["text_tokens"].tolist() == [[8, 0, 0], [0, 0, 0], [5, 6, 7]]
    assert source.rows(np.array([3, 0]))["text_tokens"].tolist() == [[0], [0]]
    assert source.rows(np.zeros(0, int))["text_tokens"].shape == (0, 1)


def test_only_items_with_training_events_have_a_row_in_the_id_table():
    source = ItemIdFeatures(np.array([0, 3, 0, 1, 2]))
    assert source.rows(np.arange(5))["item_id_row"].tolist() == [0, 1, 0, 2, 3]
    assert source.table_rows.dtype == np.int32


NONE = [np.nan, np.nan]


def test_vectors_are_read_by_item_row_and_zero_where_there_is_none():
    source = VectorFeatures(np.array([[1, 2], NONE, [5, 6]], np.float32))
    features = source.rows(np.array([3, 0, 2, 1, 3]))
    assert features["features"].tolist() == [[5, 6], [0, 0], [0, 0], [1, 2], [5, 6]]
    assert features["features"].dtype == np.float32
    assert features["features_present"].tolist() == [True, False, False, True, True]


def test_vectors_are_never_copied_as_a_whole_nor_changed():
    values = np.array([[1, 2], NONE, [5, 6]], np.float32)
    source = VectorFeatures(values)
    source.rows(np.array([0, 1]))["features"][:] = 9
    assert source.values is values
    np.testing.assert_array_equal(values, np.array([[1, 2], NONE, [5, 6]], np.float32))


def test_vectors_are_standardised_over_the_items_that_have_one():
    # Without the second item: (1 + 4) / 2 = 2.5, off by 1.5 each; 7 and 7 do not vary.
    source = VectorFeatures(np.array([[1, 7], NONE, [4, 7]], np.float32))
    mean, deviation = source.standardisation()
    assert (mean.tolist(), deviation.tolist()) == ([2.5, 7.0], [1.5, 1.0])
    assert (mean.dtype, deviation.dtype) == (np.float32, np.float32)


def test_standardising_in_parts_equals_all_at_once():
    values = np.random.default_rng(0).normal(3, 2, (20_000, 3)).astype(np.float32)  # three parts
    mean, deviation = VectorFeatures(values).standardisation()
    np.testing.assert_allclose(mean, values.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(deviation, values.std(axis=0), atol=1e-5)


def test_joined_sources_give_all_their_features():
    joined = JoinedFeatures(
        {"text": TextFeatures(np.array([[5, 6]], np.int32)), "item_id": ItemIdFeatures(np.arange(2))}
    )
    assert list(joined.rows(np.array([1]))) == ["text_tokens", "item_id_row"]


def test_batches_cover_all_rows_in_order_without_any_draw():
    parts = list(in_batches(ItemIdFeatures(np.arange(5)), [1, 3, 4, 1, 0], batch=2))
    assert [part["item_id_row"].tolist() for part in parts] == [[1, 3], [4, 1], [0]]
