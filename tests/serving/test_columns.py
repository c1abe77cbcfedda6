import numpy as np
import pandas as pd

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


def test_numbers_that_are_not_given_are_nan():
    found = column([1, "2.5", None, ""], "number", (), "price")
    np.testing.assert_array_equal(found, np.array([1, 2.5, np.nan, np.nan], np.float32))
