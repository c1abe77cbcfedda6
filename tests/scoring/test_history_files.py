"""Files of histories: what is read, by which rules, and how rows that break one are reported."""

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmrec.errors import InputError
from mmrec.scoring.history_files import column_names, read_histories, require_readable_ids
from mmrec.scoring.row_files import open_rows

TEXT = "user_id,history,country\nann,mug lamp mug,DE\nbob,,\n\n7,lamp,FR\n"


@pytest.fixture
def csv_file(tmp_path):
    """Returns `csv_file(text)`: writes a file and returns its path."""

    def write(text, name="histories.csv"):
        path = tmp_path / name
        (gzip.open if name.endswith(".gz") else open)(path, "wt", encoding="utf-8").write(text)
        return path

    return write


@pytest.fixture
def parquet_file(tmp_path):
    """Returns `parquet_file(columns)`: writes a file and returns its path."""

    def write(columns):
        pq.write_table(pa.table(columns), tmp_path / "histories.parquet", row_group_size=2)
        return tmp_path / "histories.parquet"

    return write


def whole(path, *arguments, **settings):
    (histories,) = read_histories(path, *arguments, **settings)
    return histories


@pytest.mark.parametrize("name", ["histories.csv", "histories.CSV", "histories.csv.gz"])
def test_csv_separates_items_by_a_space(csv_file, name):
    path = csv_file("\ufeff" + TEXT if name.endswith(".CSV") else TEXT, name)  # spreadsheets write a byte order mark
    histories = whole(path, ["country"])
    assert histories.user_ids == ["ann", "bob", "7"]
    assert histories.histories == [["mug", "lamp", "mug"], [], ["lamp"]]
    assert histories.columns == {"country": ["DE", "", "FR"]}
    assert histories.rows == [1, 2, 3]
    assert column_names(path) == ["country"]


def test_parquet_has_lists_of_texts_or_numbers_in_which_nothing_pads(parquet_file):
    path = parquet_file(
        {
            "country": ["DE", None, "FR"],
            "history": [["red mug", "", "lamp", None], None, []],
            "user_id": [1, 2, 3],
        }
    )
    histories = whole(path, ["country"])
    assert histories.user_ids == ["1", "2", "3"]
    assert histories.histories == [["red mug", "lamp"], [], []]
    assert histories.columns == {"country": ["DE", None, "FR"]}
    assert whole(parquet_file({"user_id": ["a"], "history": [[7, 12]]})).histories == [["7", "12"]]


def test_what_pandas_makes_of_whole_numbers_with_gaps_is_whole_again(tmp_path):
    table = pd.DataFrame({"user_id": [1.0, 2.0], "history": [[3.0, None], [4.0]]})
    table.to_parquet(tmp_path / "histories.parquet")
    histories = whole(tmp_path / "histories.parquet")
    assert (histories.user_ids, histories.histories) == (["1", "2"], [["3"], ["4"]])


def test_a_file_comes_in_parts_of_the_wanted_size(parquet_file):
    path = parquet_file({"user_id": list("abcde"), "history": [["x"] * length for length in range(5)]})
    parts = list(read_histories(path, batch=2))
    assert [part.user_ids for part in parts] == [["a", "b"], ["c", "d"], ["e"]]
    assert [part.rows for part in parts] == [[1, 2], [3, 4], [5]]
    assert parts[2].histories == [["x"] * 4]
    assert (
        list(
            read_histories(
                parquet_file({"user_id": pa.array([], "string"), "history": pa.array([], pa.list_(pa.string()))})
            )
        )
        == []
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "ann,mug  lamp",
            ", column `history`: must be item ids with a single space between each two. Received: 'mug  l",
        ),
        ("ann, mug", ", column `history`: must be item ids with a single space between each two. Received: ' mug'."),
        (",mug", ", column `user_id`: must be a text or a number. Received: ''. Correct or remove the row."),
        ("dan,mug,lamp", ": must have 2 fields, as the header has. Received: 3. Quote fields that hold commas or"),
    ],
)
def test_a_row_that_breaks_a_rule_is_an_error_that_says_where(csv_file, row, message):
    with pytest.raises(InputError) as error:
        list(read_histories(csv_file(f"user_id,history\nbob,mug\n\n{row}\n")))
    assert f"histories.csv, row 2{message}" in str(error.value)


def test_a_quotation_mark_that_is_not_closed_takes_a_limited_part_of_the_file(csv_file, monkeypatch):
    monkeypatch.setattr("mmrec.scoring.row_files.MOST_CHARACTERS", 20)
    path = csv_file('user_id,history\nann,"mug\n' + "bob,lamp\n" * 50)
    with pytest.raises(InputError, match=r"row 1: cannot be read as csv: field larger .* \(lines 2 to 4\)\."):
        list(read_histories(path))
    with open_rows(path, "histories") as file:
        rows = list(file.read(["user_id", "history"]))
    assert rows[0][:2] == (1, None)
    assert rows[1:] == [(number, ["bob", "lamp"], "") for number in range(2, 50)]  # lines 3 and 4 are in the first row


def test_lists_in_lists_are_refused(parquet_file):
    nested = {"user_id": ["a", "b"], "history": [[["x"]], [["y", "z"]]]}
    with pytest.raises(InputError, match=r"row 1, column `history`: must hold texts or numbers\. Received: \['x'\] in"):
        list(read_histories(parquet_file(nested)))


def test_other_files_are_refused(csv_file, parquet_file, tmp_path):
    csv_file("x", "text.csv").rename(tmp_path / "no_gzip.csv.gz")
    for path, message in [
        ("histories.txt", "`histories` must end in one of .parquet, .csv, .csv.gz. Received: 'histories.txt'."),
        (tmp_path / "no.csv", "no.csv: no such file. Correct `histories`."),
        (
            csv_file("user,history\na,b\n", "user.csv"),
            "no column `user_id`. Did you mean `user`? Found: user, history.",
        ),
        (csv_file("user_id,history,history\na,b,c\n", "twice.csv"), "column `history` appears twice"),
        (csv_file("", "empty.csv"), "no column `user_id` (nor `history`). Found: none."),
        (
            csv_file('user_id,history\na,"b\nc\n', "quote.csv"),
            "row 1: cannot be read as csv: unexpected end of data (lines 2",
        ),
        (csv_file("x", "broken.parquet"), "broken.parquet: cannot be read as .parquet"),
        (tmp_path / "no_gzip.csv.gz", "no_gzip.csv.gz: cannot be read as .csv.gz"),
        (parquet_file({"user_id": ["a"], "history": ["b c"]}), "must be a list of item ids. Received: string. Write"),
    ]:
        with pytest.raises(InputError) as error:
            list(read_histories(path))
        assert message in str(error.value)
    (tmp_path / "latin.csv").write_bytes(b"user_id,history\nann,m\xfcg\n")
    with pytest.raises(InputError, match=r"latin\.csv: must be UTF-8\. Received byte 0xfc"):
        list(read_histories(tmp_path / "latin.csv"))
    with pytest.raises(InputError, match=r"no column `contry`\. Did you mean `country`\?"):
        list(read_histories(csv_file(TEXT), ["contry"]))


def test_csv_is_refused_where_ids_hold_spaces():
    require_readable_ids("h.parquet", ["mug", "red mug"])
    require_readable_ids("h.csv", ["mug", "red_mug"])
    with pytest.raises(InputError, match=r"h\.csv: in csv a space separates .* Received: 'red mug'\. Write the"):
        require_readable_ids("h.csv", ["mug", "red mug"])
