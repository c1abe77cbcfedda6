"""Records of csv files, with their lines, whatever else the process does with the csv module."""

import csv
import gzip
import threading

import pytest

from mmrec.csv_files import Record, csv_records, open_text, without_nul
from mmrec.errors import InputError


def read(text, **settings):
    """Returns the header and all records of a csv file with this content."""
    header, records = csv_records(text.splitlines(keepends=True), "x.csv", **settings)
    return header, list(records)


def test_records_know_their_lines_and_blank_lines_are_none():
    assert read('id,text\n1,a\n\n2,"b\nc"\n') == (
        ["id", "text"],
        [Record(["1", "a"], 2, 2), Record(["2", "b\nc"], 4, 5)],
    )


def test_the_line_that_spreadsheets_begin_with_is_no_header():
    assert read("sep=,\nid,text\n1,a\n") == (["id", "text"], [Record(["1", "a"], 3, 3)])


def test_a_record_that_cannot_be_read_is_named_and_the_next_ones_are_read():
    _, records = read('id,text\n1,"a"b\n2,b,c\n3,c\n"4\n4"\n5,"e\n')
    assert [(record.fields, record.message) for record in records] == [
        ([], "cannot be read as csv: ',' expected after '\"'"),
        ([], "must have 2 fields, as the header has. Received: 3. Quote fields that hold commas or line breaks"),
        (["3", "c"], ""),
        (
            [],
            "must have 2 fields, as the header has. Received: 1 (lines 5 to 6). Quote fields that hold commas or line "
            "breaks",
        ),
        ([], "cannot be read as csv: unexpected end of data"),
    ]


def test_fields_may_be_longer_than_the_limit_of_the_csv_module_which_stays_as_it_is():
    before = csv.field_size_limit(10)
    try:
        assert read("id\n" + "x" * 11 + "\n")[1][0].fields == ["x" * 11]
        assert csv.field_size_limit() == 10
        _, records = read("id\n" + "x" * 9 + "\n", most_characters=8)
        assert records[0].fault == "cannot be read as csv: field larger than field limit (8)"
        assert csv.field_size_limit() == 10
        next(csv_records(iter(["id\n", "1\n", "2\n"]), "x.csv")[1])  # a file that is never read to its end
        assert csv.field_size_limit() == 10
    finally:
        csv.field_size_limit(before)


def test_threads_with_other_limits_do_not_change_each_others():
    before, text = csv.field_size_limit(), "id\n" + f"{'x' * 20}\n" * 3000
    faults = {}

    def count(most):
        faults[most] = sum(bool(record.fault) for record in read(text, most_characters=most)[1])

    threads = [threading.Thread(target=count, args=[most]) for most in (10, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == {10: 3000, 30: 0}
    assert csv.field_size_limit() == before


def test_what_stands_before_a_line_that_fails_is_read_first():
    def lines():
        yield from ("id\n", "1\n")
        raise InputError("line 3")

    _, records = csv_records(lines(), "x.csv")
    assert next(records).fields == ["1"]
    with pytest.raises(InputError, match="line 3"):
        next(records)


@pytest.mark.parametrize("name", ["t.csv", "t.CSV.GZ"])
def test_a_text_may_be_packed_and_begin_with_a_mark(tmp_path, name):
    content = "\ufeffid\r\n\xe4\n".encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("GZ") else content)
    with open_text(str(tmp_path / name)) as (file, share):
        assert share() == 0
        assert file.read() == "id\r\n\xe4\n"
        assert share() == 1


def test_nul_characters_name_their_line():
    with pytest.raises(InputError, match=r"^x\.csv, line 2: must be text in UTF-8\. Received a NUL character"):
        list(without_nul(["a\n", "b\0\n"], "x.csv"))
    with pytest.raises(InputError, match=r"^x\.csv, line 1: must be text in UTF-8"):
        csv_records(["i\0d\0,\0"], "x.csv")
    assert list(without_nul(["a", "b"], "x.csv")) == ["a", "b"]
