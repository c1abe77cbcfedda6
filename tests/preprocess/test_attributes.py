import numpy as np
import pytest
import tensorflow as tf

from mmrec.preprocess.attributes import AttributeEncoder, fit_attribute_encoder

KINDS = {"colour": "category", "weight": "number", "price": "price"}
NAN = np.nan


@pytest.fixture(scope="module")
def encoder():
    """Learnt on four items; the fifth has no training event."""
    columns = {
        "colour": np.array(["red", "blue", " red", "", "green"], object),
        "weight": np.array([1, 3, NAN, NAN, 1000], np.float32),
        "price": np.array([0, np.e**2 - 1, NAN, NAN, 9], np.float32),
    }
    return fit_attribute_encoder(KINDS, columns, np.array([True, True, True, True, False]))


def encode(encoder, **columns):
    kinds = {"colour": tf.string, "weight": tf.float32, "price": tf.float32}
    return {
        name: value.numpy().tolist()
        for name, value in encoder({key: tf.constant(columns[key], kind) for key, kind in kinds.items()}).items()
    }


def test_categories_are_numbered_by_how_often_training_items_have_them(encoder):
    assert encoder.categories == {"colour": ["red", "blue"]}
    assert encoder.sizes == [4]  # none, other, red, blue
    encoded = encode(encoder, colour=["", "green", "red", "\u00a0blue "], weight=[NAN] * 4, price=[NAN] * 4)
    assert encoded["attributes_category"] == [[0], [1], [2], [3]]
    assert encoded["attributes_known"] == [
        [False] * 3,
        [True, False, False],
        [True, False, False],
        [True, False, False],
    ]


def test_numbers_are_in_standard_deviations_and_prices_in_those_of_their_logarithm(encoder):
    # Weights 1 and 3: mean 2, deviation 1. log(1 + price) is 0 and 2: mean 1, deviation 1.
    encoded = encode(encoder, colour=["", "", ""], weight=[3, 2, 100], price=[np.e**3 - 1, 0, NAN])
    np.testing.assert_allclose(encoded["attributes_number"], [[1, 2], [0, -1], [5, 0]], atol=1e-5)
    assert encoded["attributes_known"] == [[False, True, True], [False, True, True], [False, True, False]]


def test_what_is_no_number_and_a_negative_price_are_none(encoder):
    encoded = encode(encoder, colour=[""] * 3, weight=[np.inf, NAN, -np.inf], price=[-1, -np.inf, NAN])
    assert encoded["attributes_number"] == [[0, 0]] * 3
    assert not np.any(encoded["attributes_known"])


def test_without_training_items_all_are_learnt_from():
    column = np.array([1, 3], np.float32)
    assert fit_attribute_encoder({"w": "number"}, {"w": column}, np.zeros(2, bool)).scales == {"w": (2.0, 1.0)}


def test_a_column_without_values_or_without_variation_has_scale_one():
    for values, mean in (([NAN, NAN], 0.0), ([4, 4], 4.0)):
        columns = {"w": np.array(values, np.float32)}
        assert fit_attribute_encoder({"w": "number"}, columns, np.ones(2, bool)).scales == {"w": (mean, 1.0)}


def test_one_kind_of_attribute_is_enough():
    only = fit_attribute_encoder({"w": "number"}, {"w": np.array([1, 3], np.float32)}, np.ones(2, bool))
    actual = only({"w": tf.constant([3.0, NAN])})
    assert actual["attributes_category"].shape == (2, 0)
    np.testing.assert_allclose(actual["attributes_number"], [[1], [0]])


def test_whole_numbers_are_the_same_category_with_and_without_decimals():
    columns = {"size": np.array(["38.0", "38", "38.5", " 38.0"], object)}
    encoder = fit_attribute_encoder({"size": "category"}, columns, np.ones(4, bool))
    assert encoder.categories == {"size": ["38", "38.5"]}
    encoded = encoder({"size": tf.constant(["38", "38.0", "38.5", "38.50", ""])})
    assert encoded["attributes_category"].numpy().tolist() == [[2], [2], [3], [1], [0]]


def test_an_encoder_that_was_kept_makes_the_same_features(encoder):
    kept = AttributeEncoder.from_bytes(encoder.to_bytes())
    asked = {"colour": ["", "green", "red"], "weight": [1.5, NAN, 7.0], "price": [0.1, 3.0, NAN]}
    assert encode(kept, **asked) == encode(encoder, **asked)
    assert (kept.kinds, kept.categories, kept.scales) == (encoder.kinds, encoder.categories, encoder.scales)
