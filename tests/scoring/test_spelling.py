"""Batch jobs read ids as training does, whatever their type, and however small the parts are that a file is read in."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mmrec
from mmrec.manifest import EventRules
from mmrec.scoring import run as score_run
from mmrec.scoring.read import read_rows
from mmrec.scoring.shards import STAGED_BAD_ROWS
from mmrec.scoring.stage import stage_events
from tests.scoring.world import answers, bad_rows, five_items, written

IDS = np.array(["", "9", "13", "1.0", "x,y", "7"], object)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return five_items(tmp_path_factory.mktemp("shop"), ids=IDS)


@pytest.fixture(scope="module")
def wanted(export):
    """The answers to the histories (9, 13), (1.0) and ()."""
    return mmrec.load(export).recommend([["9", "13"], ["1.0"], []], k=2).item_ids.tolist()


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Makes Apache Beam look as if it were not installed."""
    monkeypatch.setattr(score_run, "import_beam", lambda: None)


def scored(export, path, folder, **options):
    mmrec.score(export, path, folder, k=2, **options)
    return answers(folder)


def table(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


HISTORIES = [[9, 13], [1], []]
DECIMALS = pa.list_(pa.decimal128(6, 1))


@pytest.mark.parametrize(
    ("users", "histories"),
    [
        ([1.0, 2.0, 3.0], [[9.0, 13.0], [1.0, None], []]),
        (["1.0", "2.0", "3.0"], [["9.0", " 13"], ["1.0"], []]),
        (
            [Decimal("1.0"), Decimal("2.0"), Decimal("3.0")],
            pa.array([[Decimal(9), Decimal(13)], [Decimal(1)], []], DECIMALS),
        ),
        (pa.array([1, 2, 3], pa.float16()), HISTORIES),
        (pa.array(["1", "2", "3"]).dictionary_encode(), pa.array([["9", "13"], ["1"], []], pa.large_list(pa.string()))),
        (
            pa.array(["1", "2", "3"], pa.large_string()),
            pa.array([["9", "13"], ["1", None], [None] * 2], pa.list_(pa.string(), 2)),
        ),
        ([b"1", b"2", b"3"], pa.array([[b"9", b"13"], [b"1"], []])),
    ],
    ids=["float", "text", "decimal", "half", "dictionary", "fixed size", "bytes"],
)
def test_ids_of_any_type_are_those_of_training_a_row_at_a_time(export, wanted, tmp_path, users, histories):
    path = table(tmp_path / "h.parquet", user_id=users, history=histories)
    assert scored(export, path, tmp_path / "out", shard_rows=1) == list(zip(["1", "2", "3"], wanted, strict=True))


def test_a_whole_column_says_whether_users_are_whole_numbers(export, wanted, tmp_path):
    text = "user_id,history\n{},9.0 13\n2.0,1.0\n3.0,\n"
    for first, users in (("1.0", ["1", "2", "3"]), ("1.10", ["1.10", "2.0", "3.0"])):
        path = written(tmp_path / f"{first}.csv", text.format(first))
        assert scored(export, path, tmp_path / first, shard_rows=1) == list(zip(users, wanted, strict=True))


def test_events_of_a_user_are_one_history_however_the_user_is_written(export, wanted, tmp_path):
    path = written(tmp_path / "e.csv", "user_id,item_id,timestamp\n1.0,9.0,1\n2,1,1\n1, 13,2\n")
    assert scored(export, path, tmp_path / "out") == [("1", wanted[0]), ("2", wanted[1])]
    columns = {
        "user_id": [1.0, 1.0, 2.0],
        "item_id": [9.0, 13.0, 1.0],
        "timestamp": pa.array([1, 2, 1], pa.timestamp("s")),
    }
    path = table(tmp_path / "e.parquet", **columns)
    assert scored(export, path, tmp_path / "parquet") == [("1", wanted[0]), ("2", wanted[1])]


def test_texts_that_are_not_utf8_are_bad_rows(export, tmp_path):
    """Regression: they ended the job with a traceback."""
    broken = pa.StringArray.from_buffers(2, *pa.array([b"1", b"\xff"]).buffers()[1:])
    for name, column in (("broken", broken), ("dictionary", broken.dictionary_encode())):
        events = table(tmp_path / f"{name}.parquet", user_id=column, item_id=[9, 13], timestamp=[1, 2])
        histories = table(tmp_path / f"{name}2.parquet", user_id=column, history=[[9], [13]])
        for path in (events, histories):
            assert [user for user, _ in scored(export, path, tmp_path / path.stem)] == ["1"]
            (bad_row,) = bad_rows(tmp_path / path.stem)
            assert bad_row["row"] == 2
            assert bad_row["reason"].startswith("column `user_id`: must be text in UTF-8")


def test_lists_among_events_are_bad_rows(tmp_path):
    path = table(tmp_path / "e.parquet", user_id=["1", "2"], item_id=pa.array([["9"], ["13"]]), timestamp=[1, 2])
    events = EventRules("user_id", "item_id", "timestamp")
    assert stage_events([str(path)], events, ["user_id", "history"], tmp_path, 1, read_rows) == []
    said = [json.loads(line)["reason"] for line in (tmp_path / STAGED_BAD_ROWS).read_text().splitlines()]
    assert [one.split(". Received")[0] for one in said] == ["column `item_id`: must be a text or a number"] * 2


def test_items_are_written_as_the_export_spells_them(export, tmp_path):
    path = table(tmp_path / "c.parquet", item_id=["9.0", "1", "99.0"])
    mmrec.score(export, path, tmp_path / "out", task="embed", shard_rows=1)
    answers = pq.read_table(tmp_path / "out" / "rows")
    assert answers["item_id"].to_pylist() == ["9", "1.0", "99"]
    assert answers["status"].to_pylist() == [0, 0, 4]  # the last one is new, and the model reads only ids
    by_frame = mmrec.load(export).embed_items(pd.DataFrame({"item_id": [9.0, 1.0]}))
    np.testing.assert_allclose(by_frame, np.stack(answers["embedding"].to_pylist()[:2]), atol=1e-6)


@pytest.mark.parametrize(
    ("header", "said"),
    [("user_id;history", 'seems to be separated by ";"'), ("User_ID,history", "Did you mean `User_ID`?")],
)
def test_a_file_with_another_header_is_named_for_what_it_is(export, tmp_path, header, said):
    with pytest.raises(mmrec.InputError) as error:
        mmrec.score(export, written(tmp_path / "h.csv", f"{header}\n1;9\n"), tmp_path / "out")
    assert said in str(error.value)
