import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmrec.data.tables import flat_strings, list_strings, read_table, rows_text, text_strings
from mmrec.errors import InputError
from mmrec.values import strings

COLUMNS = ["id", "text"]
RECORDS = [{"id": 7, "text": 'a "red"\ncoat, long'}, {"id": 10, "text": ""}, {"id": 9, "text": "größe"}]
CSV = 'other,text,id\n1,"a ""red""\ncoat, long",7\n2,,10\n3,größe,9\n'
JSONL = "".join(json.dumps(record) + "\n" for record in RECORDS)


def written(folder, name, content):
    path = folder / name
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if name.lower().endswith(".gz") else content)
    return str(path)


def read(path, columns=COLUMNS, **options):
    return read_table(path, columns, key="data.catalog.path", **options)


def refusal(path, columns=COLUMNS):
    with pytest.raises(InputError) as error:
        read(path, columns)
    return str(error.value)


def table_of(kind, folder):
    if kind == "parquet":
        pd.DataFrame(RECORDS).to_parquet(folder / "t.parquet")
        return str(folder / "t.parquet")
    return written(folder, f"t.{kind}", CSV if "csv" in kind.lower() else JSONL)


@pytest.mark.parametrize("kind", ["csv", "CSV", "csv.gz", "CSV.GZ", "parquet", "jsonl", "jsonl.gz"])
def test_every_format_gives_the_same_ids_and_texts(tmp_path, kind):
    table = read(table_of(kind, tmp_path))
    assert list(table.columns) == COLUMNS
    assert table.index.tolist() == [0, 1, 2]
    assert strings(table["id"]).tolist() == ["7", "10", "9"]
    assert strings(table["text"]).tolist() == ['a "red"\ncoat, long', "", "größe"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_byte_order_mark_and_windows_line_endings_change_nothing(tmp_path, kind):
    plain = "id,text\n1,a\n2,b\n" if kind == "csv" else '{"id": "1", "text": "a"}\n{"id": "2", "text": "b"}\n'
    path = written(tmp_path, f"t.{kind}", "\ufeff" + plain.replace("\n", "\r\n"))
    assert read(path).to_numpy().tolist() == [["1", "a"], ["2", "b"]]


def test_csv_values_stay_as_they_are_written(tmp_path):
    path = written(tmp_path, "t.csv", "id,text\n007,NA\n1.0,null\n1e3, x \n")
    assert read(path).to_numpy().tolist() == [["007", "NA"], ["1.0", "null"], ["1e3", " x "]]


def test_a_line_for_spreadsheets_and_line_ends_of_old_computers_change_nothing(tmp_path):
    path = written(tmp_path, "t.csv", 'sep=,\rid,text\r1,a\r2,"b\rc"\r')
    assert read(path).to_numpy().tolist() == [["1", "a"], ["2", "b\rc"]]


def test_a_text_of_parquet_that_is_not_utf8_names_its_row(tmp_path):
    """Regression: pandas raised an Arrow error, which ended in a traceback."""
    broken = pa.StringArray.from_buffers(2, *pa.array([b"ok", b"\xff"]).buffers()[1:])
    for column in (broken, broken.dictionary_encode()):
        pq.write_table(pa.table({"id": ["1", "2"], "text": column}), tmp_path / "t.parquet")
        assert f"{tmp_path / 't.parquet'}, row 2, column `text`: must be text in UTF-8." in refusal(
            str(tmp_path / "t.parquet")
        )


def test_groups_of_no_rows_change_nothing(tmp_path):
    table = pa.table({"id": ["1"], "text": ["a"]})
    with pq.ParquetWriter(tmp_path / "t.parquet", table.schema) as file:
        for part in (table[:0], table, table[:0]):
            file.write_table(part)
    assert read(str(tmp_path / "t.parquet")).to_numpy().tolist() == [["1", "a"]]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_whole_numbers_with_decimals_are_the_same_ids_in_every_format(tmp_path, kind):
    """Regression: 9.0 was item "9" from parquet and item "9.0" from JSON lines and csv."""
    table = pd.DataFrame({"id": [9.0, None, 13.0]})
    path = tmp_path / f"t.{kind}"
    if kind == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    assert flat_strings(read(str(path), ["id"]), "id", str(path)).tolist() == ["9", "", "13"]


def test_lists_and_bytes_that_are_no_text_are_refused_with_their_row_in_the_file():
    table = pd.DataFrame({"id": ["a", ["b"], {"c": 1}], "tags": ["a", ["b", ["c"]], None], "name": ["a", b"\xff", "b"]})
    table = table.iloc[[2, 1, 0]]  # sorted as a catalog is
    for read_column, column, said in [
        (flat_strings, "id", "row 2 (and 1 more), column `id`: must be a text or a number. Received: ['b']."),
        (flat_strings, "name", "row 2, column `name`: must be text in UTF-8. Received: b'\\xff'."),
        (
            list_strings,
            "tags",
            "row 2, column `tags`: must be a text or a number, or a list of them. Received: ['b', [",
        ),
        (text_strings, "id", "row 3, column `id`: must be a text or a number, or a list of them. Received: {'c': 1}."),
    ]:
        with pytest.raises(InputError) as error:
            read_column(table, column, "t.csv")
        assert f"t.csv, {said}" in str(error.value)


def test_blank_lines_are_no_rows(tmp_path):
    assert len(read(written(tmp_path, "t.csv", "id,text\n1,a\n\n2,b\n\n"))) == 2
    assert len(read(written(tmp_path, "t.jsonl", '{"id": 1, "text": ""}\n\n'))) == 1


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_whole_numbers_keep_every_digit_beside_a_gap(tmp_path, kind):
    # Regression: as floats they were rounded to 9007199254740992, and in JSON lines every id became "7.0".
    values = [9007199254740993, None, 7]
    if kind == "parquet":
        pq.write_table(pa.table({"id": pa.array(values)}), tmp_path / "t.parquet")
    else:
        written(tmp_path, "t.jsonl", "".join(json.dumps({"id": value}) + "\n" for value in values))
    table = read(str(tmp_path / f"t.{kind}"), ["id"])
    assert strings(table["id"]).tolist() == ["9007199254740993", "", "7"]


def test_a_parquet_index_is_a_column_like_others(tmp_path):
    pd.DataFrame(RECORDS).set_index("id").to_parquet(tmp_path / "t.parquet")
    assert strings(read(str(tmp_path / "t.parquet"))["id"]).tolist() == ["7", "10", "9"]


def test_a_column_that_some_json_lines_lack_is_empty_there(tmp_path):
    table = read(written(tmp_path, "t.jsonl", '{"id": "a"}\n{"id": "b", "text": "x"}\n{"id": "c", "text": null}\n'))
    assert strings(table["text"]).tolist() == ["", "x", ""]


@pytest.mark.parametrize(
    ("rows", "line", "received"), [("a,red, long\n", 2, 3), ("a,b\nc,d,e\n", 3, 3), ("a,b\nc\n", 3, 1)]
)
def test_a_csv_row_with_more_or_fewer_fields_than_the_header_is_refused(tmp_path, rows, line, received):
    # Regression: surplus fields were silently dropped, so that an unquoted comma moved every later column.
    message = refusal(written(tmp_path, "t.csv", "id,text\n" + rows))
    assert f"line {line}: must have 2 fields, as the header has. Received: {received}." in message


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("t.csv", 'id,text\na,"b\nc,d\n', "line 3: cannot be read as csv"),
        ("t.csv", "id,id,text\na,b,c\n", "column `id` appears twice"),
        ("t.csv", b"id,text\na,\xe9\n", "must be UTF-8. Received byte 0xe9"),
        ("t.csv", "id,text\na,b\n".encode("utf-16"), "must be UTF-8. Received byte 0xff, as files in UTF-16 begin"),
        ("t.csv", "", "no column `id`"),
        ("t.csv", "id,text\n", "holds no rows"),
        ("t.jsonl", "", "holds no rows"),
        ("t.jsonl", b'{"id": "\xe9"}', "must be UTF-8. Received byte 0xe9"),
        ("t.jsonl", '{"id": 1, "text": ""}\n{"id":', "line 2: cannot be read as JSON"),
        ("t.jsonl", "[1, 2]\n", "line 1: must be a JSON object. Received: [1, 2]"),
        ("t.jsonl", '[\n{"id": 1}\n]\n', "line 1: must be a JSON object. Received: [. Write each row on a line of its"),
        (
            "t.jsonl",
            '{"id": 1, "text": ""}\n{"id": 2, "id": 3}\n',
            "line 2: cannot be read as JSON: the key 'id' appears",
        ),
        ("t.jsonl", f'{{"id": {"7" * 5000}}}\n', "line 1: cannot be read as JSON: Exceeds the limit (4300 digits)"),
        ("t.csv", "id;text\n1;a\n", 'seems to be separated by ";"'),
        ("t.csv", '"id"\t"text"\n"1"\t"a"\n', "seems to be separated by tabs"),
        ("t.csv", "ID,Text\n1,a\n", "no column `id` (nor `text`). Did you mean `ID`? Found: ID, Text."),
        ("t.csv", "id,text\na,b\0\n", "line 2: must be text in UTF-8. Received a NUL character"),
        ("t.csv", "id,text\na,b\n".encode("utf-16-le"), "line 1: must be text in UTF-8. Received a NUL character"),
        ("t.parquet", "id,text", "cannot be read as .parquet"),
        ("t.txt", "id,text", "must end in one of .csv, .csv.gz, .parquet, .jsonl, .jsonl.gz"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_its_path(tmp_path, name, content, rule):
    path = written(tmp_path, name, content)
    message = refusal(path)
    assert path in message
    assert rule in message


@pytest.mark.parametrize(
    "content", [b"id,text\n", gzip.compress(b"id,text\na,b\n" * 99, mtime=0)[:-9], b"\x1f\x8b\x08" + b"\xff" * 40]
)
def test_a_broken_gzip_file_is_refused(tmp_path, content):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(content)
    assert f"{path}: cannot be read as .csv.gz" in refusal(str(path))


def test_an_absent_file_names_the_config_key():
    assert refusal("no/such.csv") == "no/such.csv: no such file. Correct `data.catalog.path`."


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_an_absent_column_is_named_with_the_nearest_one(tmp_path, kind):
    message = refusal(table_of(kind, tmp_path), ["id", "texts"])
    assert "no column `texts`. Did you mean `text`? Found: " in message
    assert message.endswith("Map the columns under `data.catalog`.")


def test_the_same_column_may_be_asked_for_twice(tmp_path):
    assert list(read(table_of("csv", tmp_path), ["id", "text", "id"]).columns) == ["id", "text"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([1.0, np.nan, 3.0]), ["1", "", "3"]),
        (pd.Series([1.5, 2.0]), ["1.5", "2.0"]),
        (pd.Series([1, None], dtype="Int64"), ["1", ""]),
        (pd.Series(["a", None, "nan"]), ["a", "", "nan"]),
        (pd.Series([b"gr\xc3\xb6n", b"\xff"], dtype=object), ["grön", "\ufffd"]),
        (pd.Series(["a", "b"], dtype="category"), ["a", "b"]),
        (pd.Series([], dtype=object), []),
    ],
)
def test_strings_are_what_a_csv_file_would_hold(values, expected):
    assert strings(values).tolist() == expected


def test_rows_are_counted_from_one_with_the_number_of_others():
    assert rows_text("t.csv", np.array([4181]), "image") == "t.csv, row 4,182, column `image`"
    assert rows_text("t.csv", np.array([0, 5, 9]), "id") == "t.csv, row 1 (and 2 more), column `id`"


def test_a_column_of_texts_is_told_apart_from_one_that_only_looks_like_it():
    # Each distinct text is checked once; 1, 1.0 and True are equal in Python, but not the same text.
    assert strings(pd.Series(["b", None, "a", "b", float("nan")], dtype=object)).tolist() == ["b", "", "a", "b", ""]
    assert strings(pd.Series(["\ud800x", "\ud800x"], dtype=object)).tolist() == ["?x", "?x"]
    assert strings(pd.Series([1, True, "1", 1.5], dtype=object)).tolist() == ["1", "True", "1", "1.5"]
    assert strings(pd.Series([None, None], dtype=object)).tolist() == ["", ""]


def test_a_field_may_be_longer_than_the_limit_of_the_csv_module(tmp_path):
    path = written(tmp_path, "long.csv", f"item_id,title\na,{'x' * 200_000}\n".encode())
    assert len(read(path, ["item_id", "title"])["title"][0]) == 200_000
