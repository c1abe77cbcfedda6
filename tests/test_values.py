"""How cells become texts, and which texts are the same name."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mmrec.values import Spellings, WholeNumbers, joined, name_lists, names, nested, number, string, strings

INF = float("inf")


def arrow(values, kind):
    return pd.Series(values, dtype=pd.ArrowDtype(kind))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series(["9.0", None, "13.0", ""]), ["9", "", "13", ""]),
        (pd.Series(["9.0", "13"]), ["9", "13"]),
        (pd.Series(["9.00", "-3.0", "inf"]), ["9", "-3", "inf"]),
        (pd.Series([" 9 ", "\tmug\n", " "]), ["9", "mug", ""]),
        (pd.Series(["1.0", "1.10", "2.5"]), ["1.0", "1.10", "2.5"]),
        (pd.Series(["007", "9.0"]), ["007", "9.0"]),
        (pd.Series(["1e5", "2.0"]), ["1e5", "2.0"]),
        (pd.Series(["9.0", "abc"]), ["9.0", "abc"]),
        (pd.Series([9.0, np.nan, 13.0]), ["9", "", "13"]),
        (pd.Series([1.5, 2.0]), ["1.5", "2.0"]),
        (pd.Series([9.0, "abc", 13, None], dtype=object), ["9", "abc", "13", ""]),
        (
            pd.Series([0.0, INF, -INF, 1e19, 2.0**63]),
            ["0", "inf", "-inf", "10000000000000000000", "9223372036854775808"],
        ),
        (pd.Series([9.0, 0.5], dtype="float32"), ["9.0", "0.5"]),
        (pd.Series([0.1], dtype="float32"), ["0.1"]),
        (pd.Series([9.0, 13.0], dtype="float16"), ["9", "13"]),
        (pd.Series([2**63 + 5, 10**30], dtype=object), ["9223372036854775813", "1" + "0" * 30]),
        (pd.Series([7, None], dtype="Int64"), ["7", ""]),
        (pd.Series([7.0, None], dtype="Float64"), ["7", ""]),
        (pd.Series([True, False]), ["True", "False"]),
        (pd.Series([True, None], dtype="boolean"), ["True", ""]),
        (pd.Series([Decimal("9.00"), Decimal("1E+2"), None]), ["9", "100", ""]),
        (pd.Series([Decimal("9.50"), Decimal("13.00")]), ["9.50", "13.00"]),
        (pd.Series([dt.date(2024, 1, 5), None]), ["2024-01-05", ""]),
        (pd.Series(pd.to_datetime(["2024-01-05 10:00", None])), ["2024-01-05 10:00:00", ""]),
        (pd.Series(["b", None, "a"], dtype="category"), ["b", "", "a"]),
        (pd.Series([9.0, 13.0, None], dtype="category"), ["9", "13", ""]),
        (pd.Series([b"gr\xc3\xb6n", b"7"], dtype=object), ["grön", "7"]),
        (arrow([9, None], pa.int64()), ["9", ""]),
        (arrow([9.0, None], pa.float64()), ["9", ""]),
        (arrow(["9.0", None], pa.large_string()), ["9", ""]),
        (arrow(["a", None], pa.dictionary(pa.int32(), pa.string())), ["a", ""]),
        (arrow([Decimal("9.00")], pa.decimal128(9, 2)), ["9"]),
        (arrow([pd.Timestamp("2024-01-05")], pa.timestamp("us")), ["2024-01-05 00:00:00"]),
        (pd.Series([], dtype=object), []),
    ],
)
def test_a_column_of_any_type_becomes_names_by_one_rule(values, expected):
    assert names(values).tolist() == expected


def test_texts_that_are_no_names_stay_as_they_are_written():
    assert strings(pd.Series([" 9.0", "13.0 "])).tolist() == [" 9.0", "13.0 "]
    assert joined(pd.Series([["Red", None, " mug"], '["a", "b"]', "[sic] lamp", None])).tolist() == [
        "Red  mug",
        "a b",
        "[sic] lamp",
        "",
    ]


def test_a_cell_by_itself_is_written_as_in_a_column_of_whole_numbers():
    cells = [9.0, np.float32(13), np.int64(7), Decimal("2.00"), 2.5, INF, None, pd.NA, pd.NaT, "9.0", True]
    assert [string(cell) for cell in cells] == ["9", "13", "7", "2", "2.5", "inf", "", "", "", "9.0", "True"]


@pytest.mark.parametrize("several", [["b", "a", "b"], ("b", "a"), np.array(["b", "a"]), '["b", "a"]'])
def test_a_cell_may_hold_several_names_each_of_them_once(several):
    cells = pd.Series([several, "a", None, [], ""], dtype=object)
    assert name_lists(cells).tolist() == [("b", "a"), ("a",), (), (), ()]


def test_names_in_lists_follow_the_rule_of_the_whole_column():
    assert name_lists(pd.Series([[9.0, None], np.array([13.0]), {"y", "x"}])).tolist() == [("9",), ("13",), ("x", "y")]
    assert name_lists(pd.Series([["1.0", " 2.0"], ["1.10"]])).tolist() == [("1.0", "2.0"), ("1.10",)]
    assert name_lists(pd.Series(["red", ""])).tolist() == [("red",), ()]


def test_lists_and_objects_are_told_from_values():
    assert nested(pd.Series([1, "[1]", [1], {"a": 1}, (1,), np.zeros(1), {1}], dtype=object)).tolist() == [
        False,
        False,
        *[True] * 5,
    ]


def test_names_are_looked_up_as_they_are_written_and_then_by_their_plain_form():
    catalog = Spellings(["9", "1.0", "abc", " x ", "12.0", "12.00"])
    asked = np.array(["9", "9.0", " 9 ", "1.0", "1", "x", "abc ", "12", "12.0", "7", ""], object)
    assert catalog.places(asked).tolist() == [0, 0, 0, 1, 1, 3, 2, -1, 4, -1, -1]
    assert catalog.spelt(asked.reshape(1, -1)).tolist() == [
        ["9", "9", "9", "1.0", "1.0", " x ", "abc", "12", "12.0", "7", ""]
    ]
    assert Spellings([]).spelt(np.array(["9.0"], object)).tolist() == ["9.0"]


@pytest.mark.parametrize(
    ("parts", "plain"),
    [
        ([["9.0", ""], ["13", " 2.0 "]], True),
        ([["9", "13"]], False),
        ([["9.0"], ["abc"]], False),
        ([["1.0"], ["1.10"], ["2.0"]], False),
        ([], False),
    ],
)
def test_parts_of_a_column_are_judged_together(parts, plain):
    column = WholeNumbers()
    for part in parts:
        column.add(part)
    assert column.plain is plain


@pytest.mark.parametrize("value", [True, [1.0], np.array([1.0]), "soon", INF, 1e300, 10**400, b"x", {"a": 1}])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match=r"^must be a finite number\. Received: "):
        number(value)


def test_numbers_are_read_from_all_that_holds_one():
    assert [number(value) for value in (7, "2.5", Decimal(3), np.float32(0.5), " 4 ")] == [7, 2.5, 3, 0.5, 4]
    assert all(np.isnan(number(value)) for value in (None, "", " ", np.nan, pd.NA, pd.NaT, Decimal("NaN")))
