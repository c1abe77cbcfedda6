"""Ready-made vectors as people write them."""

import re

import numpy as np
import pandas as pd
import pytest

from mmrec.vectors import parse_vector


@pytest.mark.parametrize(
    "written",
    [
        [0.5, -1, 2],
        (0.5, -1.0, 2.0),
        np.array([0.5, -1, 2]),
        np.array([0.5, -1, 2], object),
        "[0.5, -1, 2]",
        "[ 0.5 -1.  2. ]",
        " 0.5 -1\t2 ",
        "0.5,-1,2",
        "0.5, -1, 2.0e0",
    ],
)
def test_lists_arrays_and_texts_give_the_same_vector(written):
    vector = parse_vector(written)
    assert vector.tolist() == [0.5, -1, 2]
    assert vector.dtype == np.float32


@pytest.mark.parametrize("nothing", [None, np.nan, float("nan"), pd.NA, "", "  ", [], "[]", np.zeros(0)])
def test_nothing_is_no_vector(nothing):
    assert parse_vector(nothing) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, float("nan")], "must hold finite float32 numbers. Received: nan at position 2"),
        ("[1, NaN]", "must hold finite float32 numbers. Received: nan at position 2"),
        ([1, 2, float("-inf")], "must hold finite float32 numbers. Received: -inf at position 3"),
        ([1e300], "must hold finite float32 numbers. Received: 1e+300 at position 1"),
        ([1, None], "must hold finite float32 numbers. Received: nan at position 2"),
        (["1", "2"], "must be a list of numbers. Received: ['1', '2']"),
        ([True, False], "must be a list of numbers. Received: [True, False]"),
        ([[1, 2], [3, 4]], "must be a list of numbers. Received: [[1, 2], [3, 4]]"),
        ([[1], [2, 3]], "must be a list of numbers. Received: [[1], [2, 3]]"),
        (7.0, "must be a list of numbers. Received: 7.0"),
        ("1,,2", "must be a list of numbers. Received: '1,,2'"),
        ("[1, 2", "must be a list of numbers. Received: '[1, 2'"),
        ("red", "must be a list of numbers. Received: 'red'"),
        (b"1 2", "must be a list of numbers. Received: b'1 2'"),
        ({"a": 1}, "must be a list of numbers. Received: {'a': 1}"),
    ],
)
def test_anything_else_is_refused(value, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        parse_vector(value)
