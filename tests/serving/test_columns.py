from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mmrec.errors import InputError
from mmrec.serving.columns import column


def test_whole_numbers_beside_gaps_are_read_as_the_catalog_reads_them():
    assert column(pd.Series([12.0, None, 7.0]), "text", (), "brand").tolist() == ["12", "", "7"]
    assert column(pd.Series([12.5, 7.0]), "text", (), "size").tolist() == ["12.5", "7.0"]
    assert column([12, None], "id", (), "item_id").tolist() == ["12", ""]


def test_the_first_of_several_photos_is_read_where_the_model_reads_one(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    cells = [[str(tmp_path / "a"), str(tmp_path / "b")], [], None, str(tmp_path / "b"), b"c"]
    assert column(cells, "bytes", (), "image").tolist() == [b"a", b"", b"", b"b", b"c"]
    assert column(cells[:2], "bytes", (2,), "image").tolist() == [[b"a", b"b"], [b"", b""]]


def test_empty_cells_of_a_list_of_photos_are_left_out_before_it_is_cut(tmp_path):
    """Regression: they took the places of photos, unlike in training, and a text of spaces was no file's name."""
    for name in "ab":
        (tmp_path / name).write_bytes(name.encode())
    first, second = str(tmp_path / "a"), f"  {tmp_path / 'b'} "
    cells = [[None, "", " ", b"", float("nan"), first, second], f'["", "{first}"]', "  ", [" "], second]
    assert column(cells, "bytes", (), "image").tolist() == [b"a", b"a", b"", b"", b"b"]
    assert column(cells[:2], "bytes", (2,), "image").tolist() == [[b"a", b"b"], [b"a", b""]]


def test_missing_numbers_are_nan():
    actual = column([1, "2.5", None, ""], "number", (), "price")
    np.testing.assert_array_equal(actual, np.array([1, 2.5, np.nan, np.nan], np.float32))


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([9.0, None, 13.0]),
        pd.Series([9, None, 13], dtype="int64[pyarrow]"),
        pd.Series([9.0, None, 13.0], dtype="double[pyarrow]"),
        pd.Series(["9", None, " 13"], dtype="string[pyarrow]"),
        pd.Series(["9", None, "13"], dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
        pd.Series([Decimal("9.0"), None, Decimal("13.0")]),
        pd.Series([9.0, None, 13.0], dtype="category"),
        pd.Series([9, None, 13], dtype="Int64"),
        [9.0, None, 13],
    ],
)
def test_categories_and_ids_of_a_frame_are_read_by_the_rule_of_training(values):
    assert column(values, "category", (), "size").tolist() == ["9", "", "13"]
    assert column(values, "id", (), "item_id").tolist() == ["9", "", "13"]


def test_texts_of_a_list_are_joined_and_other_lists_are_refused():
    several = pd.Series([["Red", "mug"], '["Blue", "mug"]', None], dtype=object)
    assert column(several, "text", (), "title").tolist() == ["Red mug", "Blue mug", ""]
    arrow = pd.Series([["Red", "mug"]], dtype=pd.ArrowDtype(pa.list_(pa.string())))
    assert column(arrow, "text", (), "title").tolist() == ["Red mug"]
    for kind, values, row in (("category", ["a", ["b"]], 2), ("id", [{"a": 1}], 1), ("text", [[["a"]]], 1)):
        with pytest.raises(InputError, match=rf"`table`, row {row}, column `x`: must be a text or a number"):
            column(values, kind, (), "x")


@pytest.mark.parametrize("value", [True, [1.0], np.array([1.0]), float("inf"), 1e300, "soon"])
def test_what_training_refuses_as_a_number_is_refused(value):
    with pytest.raises(InputError, match=r"`table`, row 2, column `price`: must be a finite number\. Received: "):
        column([1, value], "number", (), "price")


def test_a_file_is_read_by_its_name_with_spaces_around_it_before_the_one_without(tmp_path):
    for name in (" a", "a", "b "):
        (tmp_path / name).write_bytes(name.encode())
    cells = [str(tmp_path / " a"), str(tmp_path / "a"), str(tmp_path / "b "), str(tmp_path / "a "), tmp_path / "b "]
    assert column(cells, "bytes", (), "image").tolist() == [b" a", b"a", b"b ", b"a", b"b "]


@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png"])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(InputError, match=r"a photo or recording must be a path that a file can have\. Received: '"):
        column([name], "bytes", (), "image")
