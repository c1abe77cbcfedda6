import numpy as np
import pytest
import tensorflow as tf

from mmrec.index.top import NEVER, leading, leading_rows

NAN = float("nan")


@pytest.mark.parametrize(
    ("k", "want"),
    [
        (0, [[], [], [], []]),
        (1, [[4], [8], [1], None]),
        (2, [[4, 9], [8, 1], [1, 2], None]),
        (3, [[4, 9, 5], [8, 1, 7], [1, 2, 3], None]),
    ],
)
def test_rows_in_any_order_are_ranked_and_ties_go_by_row(k, want):
    rows = np.array([[9, 4, 5], [7, 8, 1], [3, 1, 2], [1, 2, 3]], np.int32)
    scores = np.array([[1, 1, 0], [0, 3, 2], [NEVER, NEVER, NEVER], [NAN, NAN, NAN]], np.float32)
    actual, values = tf.function(leading_rows)(scores, rows, tf.constant(k))
    for one, answer in enumerate(want):
        if answer is not None:  # for a query of NaN any answer will do, but the other queries must not change
            assert actual[one].numpy().tolist() == answer
            assert values[one].numpy().tolist() == [scores[one, rows[one].tolist().index(row)] for row in answer]


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 5, 50])
def test_leading_places_are_those_of_a_stable_sort(batch, k):
    scores = np.random.default_rng(0).integers(0, 6, (50, batch)).astype(np.float32)
    want = np.argsort(-scores, axis=0, kind="stable")[:k].T
    np.testing.assert_array_equal(tf.function(leading)(scores, tf.constant(k)), want)
