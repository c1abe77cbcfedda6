"""Messages about files of another kind, the same from every reader."""

import pyarrow as pa
import pytest

from mmrec.csv_files import csv_records
from mmrec.errors import InputError
from mmrec.table_files import absent_columns, broken_texts, readable


def utf8_or_not(*cells):
    """Returns an Arrow column of texts, whatever the bytes are."""
    column = pa.array(cells, pa.binary())
    return pa.StringArray.from_buffers(len(cells), *column.buffers()[1:], column.buffers()[0])


BROKEN = utf8_or_not(b"ok", b"\xff", None, b"\xc3\xb6")


@pytest.mark.parametrize(
    "column",
    [
        BROKEN,
        BROKEN.dictionary_encode(),
        BROKEN.cast(pa.large_binary()).view(pa.large_string()),
        pa.concat_arrays([utf8_or_not(b"\xff"), BROKEN])[1:],
        pa.ListArray.from_arrays(pa.array([0, 1, 3, 3, 4], pa.int32()), BROKEN),
        pa.StructArray.from_arrays([BROKEN], ["name"]),
    ],
    ids=["text", "dictionary", "large", "slice", "list", "struct"],
)
def test_rows_whose_text_is_not_utf8_are_named(column):
    assert broken_texts(pa.chunked_array([column])).tolist() == [1]
    assert broken_texts(pa.chunked_array([column[:1], column[1:]])).tolist() == [1]


def test_columns_without_text_hold_no_broken_text():
    for column in (pa.array([1, None]), pa.array([b"\xff"]), pa.array([[1.5]]), pa.nulls(2), pa.array([], pa.string())):
        assert broken_texts(pa.chunked_array([column])).tolist() == []


def test_a_table_is_readable_with_nothing_where_a_text_was_broken():
    table = pa.table({"n": [1, 2, 3, 4], "text": BROKEN, "kind": BROKEN.dictionary_encode()})
    actual, faults = readable(table)
    assert faults == {1: "column `text`: must be text in UTF-8"}
    assert actual.to_pandas()["text"].fillna("").tolist() == ["ok", "", "", "ö"]
    assert actual.to_pandas()["kind"].astype(object).fillna("").tolist() == ["ok", "", "", "ö"]


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("item_id;title", 'separated by ";"'),
        ('"item_id";"title"', 'separated by ";"'),
        ("item_id;title, long;price", 'separated by ";"'),
        ("item_id\ttitle", "separated by tabs"),
        ("item_id|title", 'separated by "|"'),
        ("sep=;", 'separated by ";"'),
        ("sep=\t", "separated by tabs"),
    ],
)
def test_another_separator_is_named(first, said):
    with pytest.raises(InputError) as error:
        raise absent_columns("x.csv", ["item_id"], csv_records([first], "x.csv")[0], "Map it.")
    assert str(error.value).startswith(f"x.csv: seems to be {said}, and a csv file must be separated by commas.")
    assert "Save it with commas, or as .parquet" in str(error.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["ITEM_ID", "Title"], "no column `item_id`. Did you mean `ITEM_ID`? Found: ITEM_ID, Title. Map it."),
        ([" item_id", "a;b"], "no column `item_id`. Did you mean ` item_id`? Found:  item_id, a;b. Map it."),
        ([], "no column `item_id`. Found: none. Map it."),
    ],
)
def test_an_absent_column_is_named_with_the_one_that_is_meant(header, said):
    assert str(absent_columns("x.csv", ["item_id"], header, "Map it.")) == f"x.csv: {said}"
