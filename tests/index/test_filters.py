"""Filters against a plain reading of the table, row by row."""

import numpy as np
import pytest
import tensorflow as tf

from mmrec.index.filters import Filters


def cells(values):
    """Returns the values of each item as the filters take them; a text is a single value."""
    several = ((one,) if isinstance(one, str) and one else tuple(one) for one in values)
    return np.fromiter(several, object, len(values))


VALUES = {
    "category": cells(["mug", "lamp", "mug", ""]),
    "colour": cells(["red", "red", "", "a=b"]),
}


def allowed(asked, values=VALUES):
    asked = np.array(asked, object)
    return Filters(values).allowed(tf.reshape(tf.constant(asked.ravel().tolist(), tf.string), asked.shape)).numpy()


def rows(asked):
    """The items (1 to 4) that match, for each request."""
    return [(np.flatnonzero(row[1:]) + 1).tolist() for row in allowed(asked)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (["category=mug", ""], [1, 3]),
        (["", ""], [1, 2, 3, 4]),
        (["category=mug", "colour=red"], [1]),
        (["category=mug", "category=mug"], [1, 3]),
        (["category=mug", "category=lamp"], []),
        (["category=no such", ""], []),
        (["category=mug", "no such=mug"], []),
        (["category=", ""], []),
        (["category", "colour=red"], []),
        (["colour=a=b", ""], [4]),
        (["Category=mug", ""], []),
    ],
)
def test_all_filters_must_match(asked, expected):
    assert rows([asked]) == [expected]


def test_rows_do_not_depend_on_each_other():
    assert rows([["category=mug", ""], ["no such", ""], ["", ""], ["colour=red", "category=lamp"]]) == [
        [1, 3],
        [],
        [1, 2, 3, 4],
        [2],
    ]


def test_no_filter_and_no_row_are_no_error():
    assert allowed(np.zeros([2, 0])).tolist() == [[True] * 5] * 2
    assert allowed(np.zeros([0, 3])).shape == (0, 5)


def test_a_column_without_any_value_matches_no_item():
    values = {"empty": cells(["", ""]), "full": cells(["x", "x"])}
    assert allowed([["empty="], ["full=x"]], values)[:, 1:].tolist() == [[False, False], [True, True]]


def test_one_of_several_values_matches_and_every_filter_must_match():
    values = {"tags": cells([["red", "new"], ["new"], [], "red"])}
    assert [np.flatnonzero(row).tolist() for row in allowed([["tags=new", ""], ["tags=red", "tags=new"]], values)] == [
        [1, 2],
        [1],
    ]


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_a_reading_of_the_table_on_random_worlds(seed):
    rng = np.random.default_rng(seed)
    drawn = {name: [rng.permutation(["a", "b"])[: rng.integers(3)].tolist() for _ in range(8)] for name in "xyz"}
    values = {name: cells(column) for name, column in drawn.items()}
    conditions = ["", "", *(f"{name}={value}" for name in "xyz" for value in "abc")]
    asked = rng.choice(conditions, (6, 3)).astype(object)
    expected = [
        [all(not one or one[2:] in drawn[one[0]][item] for one in question) for item in range(8)] for question in asked
    ]
    assert allowed(asked, values)[:, 1:].tolist() == expected
