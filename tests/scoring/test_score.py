"""Batch jobs answer every row once or name it, whatever the input."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mmrec
from mmrec.scoring import run as score_run
from mmrec.scoring.inputs import Plan
from mmrec.scoring.scorer import read_shard
from tests.scoring.world import HISTORIES, answers, bad_rows, five_items, written

ROOT = Path(__file__).parents[2]
score = mmrec.score

EVENTS = "user_id,item_id,timestamp\nu1,b,2\nu2,zz,3\nu1,a,1\n,a,1\nu3,,1\nu3,a,soon\nu2,c,4\nu4,e,2020-01-01\n"


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return five_items(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def shop(export):
    return mmrec.load(export)


@pytest.fixture
def alone(monkeypatch):
    """Makes Apache Beam look as if it were not installed."""
    monkeypatch.setattr(score_run, "import_beam", lambda: None)


@pytest.fixture
def file(tmp_path):
    """Returns `file(name, text)`: writes a file and returns its path."""
    return lambda name, text: written(tmp_path / name, text)


def expected(shop, histories, k):
    """Returns the answers of the export itself."""
    answers = shop.recommend(histories.values(), k=k).item_ids
    return [(user, [item for item in row if item]) for user, row in zip(histories, answers, strict=True)]


@pytest.mark.parametrize("beam", [False, True], ids=["alone", "beam"])
def test_every_row_of_csv_is_answered_as_the_export_answers_or_named(export, shop, file, tmp_path, monkeypatch, beam):
    if beam:
        pytest.importorskip("apache_beam")
    else:
        monkeypatch.setattr(score_run, "import_beam", lambda: None)
    path = file("h.csv.gz", HISTORIES)
    summary = score(export, path, tmp_path / "out", k=3, shard_rows=2)
    good = {"u1": ["a", "b"], "u2": [], "u5": ["zz", "c"], "u6": ["a", "b", "c"], "u7": ["d"]}
    assert answers(tmp_path / "out") == expected(shop, good, 3)
    assert [(bad_row["row"], bad_row["reason"]) for bad_row in bad_rows(tmp_path / "out")] == [
        (5, "must have 2 fields, as the header has. Received: 3"),
        (3, "column `user_id`: must not be empty. Received: ''"),
        (4, "column `history`: must be item ids with a single space between each two. Received: 'a  b'"),
    ]
    assert {bad_row["file"] for bad_row in bad_rows(tmp_path / "out")} == {str(path)}
    assert summary == json.loads((tmp_path / "out/score.json").read_text())
    assert (summary["rows"], summary["bad_rows"], summary["shards"]) == (5, 3, 4)
    assert summary["model_version"] == "small/1"
    table = pq.read_table(tmp_path / "out/rows")
    assert table.column_names == ["user_id", "item_ids", "scores", "model_version"]
    assert set(table["model_version"].to_pylist()) == {"small/1"}
    best = shop.recommend([["a", "b"]], k=3).scores[0]
    np.testing.assert_allclose(table["scores"][0].as_py(), best, atol=1e-5)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".lock", "bad_rows.jsonl", "job.json", "rows", "score.json",
    ]  # fmt: skip


def test_row_groups_of_parquet_are_cut_into_shards_in_order(export, shop, tmp_path, alone):
    generator = np.random.default_rng(0)
    drawn = [generator.choice(list("abcde"), generator.integers(0, 4)).tolist() for _ in range(50)]
    histories = {f"u{number}": history for number, history in enumerate(drawn)}
    (tmp_path / "in").mkdir()
    table = pd.DataFrame({"user_id": list(histories), "other": 1, "history": list(histories.values())})
    table[:20].to_parquet(tmp_path / "in/0.parquet", row_group_size=6)
    table[20:].to_parquet(tmp_path / "in/1.parquet", row_group_size=50)
    for number, pattern in enumerate(["in", "in/*.parquet"]):
        summary = score(export, tmp_path / pattern, tmp_path / f"out{number}", k=2, shard_rows=8, batch_size=3)
        assert (summary["rows"], summary["shards"]) == (50, 3 + 4)
        assert answers(tmp_path / f"out{number}") == expected(shop, histories, 2)
        assert bad_rows(tmp_path / f"out{number}") == []


def test_what_cannot_be_read_of_csv_is_named_and_the_next_rows_are_not(export, tmp_path, alone):
    (tmp_path / "h.csv").write_bytes(b'user_id,history\nu1,a\n\xff,a\n"u"3,a\n\nu4,b\n')
    summary = score(export, tmp_path / "h.csv", tmp_path / "out", k=1)
    assert [user for user, _ in answers(tmp_path / "out")] == ["u1", "u4"]
    assert (summary["rows"], summary["bad_rows"]) == (2, 2)
    assert [bad_row["row"] for bad_row in bad_rows(tmp_path / "out")] == [2, 3]
    assert bad_rows(tmp_path / "out")[0]["reason"] == "must be UTF-8"


def test_a_quotation_mark_that_is_not_closed_is_named_with_the_lines_that_it_takes(export, file, tmp_path, alone):
    path = file("h.csv", 'user_id,history\nu1,a\nu2,"b\nu3,c\nu4,"d\nu5,e\nu6,"a\nu7,b"\nu8,c\n')
    summary = score(export, path, tmp_path / "out", k=1)
    assert [user for user, _ in answers(tmp_path / "out")] == ["u1", "u5", "u8"]
    assert (summary["rows"], summary["bad_rows"]) == (3, 2)
    read, asked = [bad_row["reason"] for bad_row in bad_rows(tmp_path / "out")]
    assert "(lines 3 to 5)" in read
    assert asked.startswith(
        "column `history`: must be item ids with a single space between each two. Received: 'a\\nu7"
    )


@pytest.mark.parametrize("name", ["h.csv", "h.csv.gz"])
def test_a_quotation_mark_that_is_not_closed_takes_a_limited_part_of_the_file(
    export, file, tmp_path, monkeypatch, capsys, alone, name
):
    monkeypatch.setattr("mmrec.scoring.read.MOST_CHARACTERS", 8)
    path = file(name, 'user_id,history\nu1,a\nu2,"b\nu3,c\nu4,d\nu5,e\nu6,a b c d e\nu7,a\n')
    summary = score(export, path, tmp_path / "out", k=1)
    assert [user for user, _ in answers(tmp_path / "out")] == ["u1", "u5", "u7"]
    assert [(bad_row["row"], bad_row["reason"]) for bad_row in bad_rows(tmp_path / "out")] == [
        (2, "cannot be read as csv: field larger than field limit (8) (lines 3 to 5)"),
        (4, "cannot be read as csv: field larger than field limit (8)"),
    ]
    assert (summary["rows"], summary["bad_rows"]) == (3, 2)
    size = path.stat().st_size
    assert capsys.readouterr().err.splitlines() == [
        f"bytes: {size} of {size} read",
        "shards: 1 of 1 scored",
        f"2 bad rows are left out; {tmp_path}/out/bad_rows.jsonl says why",
    ]


def test_histories_without_any_item_of_the_export_are_counted_though_the_job_is_interrupted(
    export, shop, file, tmp_path, capsys, alone, monkeypatch
):
    path, out = file("h.csv", "user_id,history\nu1,x\nu2,y z\nu3,\nu4,x a\nu5,x\n,x\n"), tmp_path / "out"
    good = score_run.score_shard
    monkeypatch.setattr(score_run, "score_shard", lambda shard, job: good(shard, job) if shard.number < 2 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        score(export, path, out, k=2, shard_rows=2)
    monkeypatch.setattr(score_run, "score_shard", good)
    capsys.readouterr()
    assert score(export, path, out, k=2, shard_rows=2)["unknown_histories"] == 3
    assert json.loads((out / "score.json").read_text())["unknown_histories"] == 3
    assert capsys.readouterr().err.splitlines()[-1] == "3 of 5 histories hold no item of the export"
    histories = {"u1": ["x"], "u2": ["y", "z"], "u3": [], "u4": ["x", "a"], "u5": ["x"]}
    assert answers(out) == expected(shop, histories, 2)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ('user_id,history\nu1,\nu2,"a,b"\nu3,"c,d"\n', "'a,b'"),
        ("user_id,item_id,timestamp\nu1,A,1\nu2,B,2\n", "'[AB]'"),
    ],
    ids=["histories", "events"],
)
def test_histories_none_of_which_holds_an_item_of_the_export_are_refused_and_the_folder_stays_free(
    export, file, tmp_path, alone, text, example
):
    path, out = file("h.csv", text), tmp_path / "out"
    with pytest.raises(mmrec.InputError) as error:
        score(export, path, out, shard_rows=1)
    message = f"{path}: holds no item of the export. Received: {example}, for one. In csv, a single space"
    assert re.match(message, str(error.value))
    assert [child.name for child in out.iterdir()] == [".lock"]
    for old, new in (("a,b", "a b"), ("c,d", "c d"), ("A", "a"), ("B", "b")):
        text = text.replace(old, new)
    assert score(export, file("h.csv", text), out, shard_rows=1)["unknown_histories"] == 0
    empty = score(export, file("empty.csv", "user_id,history\nu1,\n"), tmp_path / "empty")
    assert (empty["rows"], empty["unknown_histories"]) == (1, 0)


NOBODY = "user_id,item_id,timestamp\nu1,a,14/11/2023 22:13\nu2,b,15/11/2023 22:13\n"


@pytest.mark.parametrize(
    ("name", "content", "first", "bad"),
    [
        ("e.csv", NOBODY.encode(), "column `timestamp`: must be a number or", 2),
        ("h.csv", "user_id,history\nJos\xe9,a\nZo\xeb,b\n".encode("latin-1"), "must be UTF-8", 2),
        ("h.csv", b"user_id,history\n,a\n,b\n,c\n", "column `user_id`: must not be empty. Received: ''", 3),
        ("h.csv", b"user_id,history\nu1,a,b\n", "must have 2 fields, as the header has. Received: 3", 1),
    ],
    ids=["events", "latin-1", "no user", "fields"],
)
@pytest.mark.parametrize("beam", [False, True], ids=["alone", "beam"])
def test_a_file_of_bad_rows_alone_is_refused_with_the_first_reason_as_often_as_it_is_tried(
    export, tmp_path, monkeypatch, beam, name, content, first, bad
):
    if beam:
        pytest.importorskip("apache_beam")
    else:
        monkeypatch.setattr(score_run, "import_beam", lambda: None)
    path, out = tmp_path / name, tmp_path / "out"
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(mmrec.InputError) as error:
            score(export, path, out, shard_rows=2)
        message = str(error.value)
        assert message.startswith(f"{path}, row 1: {first}")
        assert message.endswith(f"Not one of {bad} rows can be used: {out}/bad_rows.jsonl says why. Correct the input.")
        assert sorted(child.name for child in out.iterdir()) == [".lock", "bad_rows.jsonl"]
        assert [bad_row["row"] for bad_row in bad_rows(out)] == [*range(1, bad + 1)]
    path.write_text("user_id,history\nu1,a\n")
    assert score(export, path, out)["rows"] == 1  # the folder is free for what was corrected
    assert bad_rows(out) == []


def test_a_file_of_bad_rows_that_is_the_users_own_is_not_removed(export, file, tmp_path, alone):
    (tmp_path / "out").mkdir()
    file("out/bad_rows.jsonl", "mine\n")
    with pytest.raises(mmrec.InputError, match="`output` must be absent, empty, or of the same job"):
        score(export, file("h.csv", HISTORIES), tmp_path / "out")
    assert (tmp_path / "out/bad_rows.jsonl").read_text() == "mine\n"


def test_files_without_rows_are_refused_unless_another_one_has_some(export, file, tmp_path, alone):
    (tmp_path / "in").mkdir()
    file("in/0.csv", "user_id,history\n")
    empty = pa.schema([("user_id", pa.string()), ("history", pa.list_(pa.string()))]).empty_table()
    pq.write_table(empty, tmp_path / "in/1.parquet")
    for pattern in ("in", "in/0.csv", "in/1.parquet", "in/*.csv"):
        with pytest.raises(mmrec.InputError) as error:
            score(export, tmp_path / pattern, tmp_path / "out")
        assert str(error.value) == f"{tmp_path / pattern}: holds no rows. Give `input` a file with at least one."
        assert [child.name for child in (tmp_path / "out").iterdir()] == [".lock"]
    file("in/2.csv", "user_id,history\nu1,a\n")
    assert score(export, tmp_path / "in", tmp_path / "out")["rows"] == 1


def test_more_answers_than_there_are_items_or_than_a_signature_can_count_are_all_items(export, file, tmp_path, alone):
    path = file("h.csv", HISTORIES)
    for number, k in enumerate((5, 2**31, 10**30)):
        score(export, path, tmp_path / f"out{number}", k=k)
    assert answers(tmp_path / "out2") == answers(tmp_path / "out1") == answers(tmp_path / "out0")


def test_events_are_grouped_into_histories(export, shop, file, tmp_path, alone):
    summary = score(export, file("e.csv", EVENTS), tmp_path / "out", k=3, shard_rows=1)
    wanted = expected(shop, {"u1": ["a", "b"], "u2": ["zz", "c"]}, 3)
    assert sorted(answers(tmp_path / "out")) == sorted(wanted)
    assert {bad_row["row"]: bad_row["reason"].partition(":")[0] for bad_row in bad_rows(tmp_path / "out")} == {
        4: "column `user_id`", 5: "column `item_id`", 6: "column `timestamp`", 8: "column `timestamp`",
    }  # fmt: skip
    assert (summary["rows"], summary["bad_rows"]) == (2, 4)


def test_users_are_spread_over_shards_and_each_is_whole(export, file, tmp_path, alone):
    lines = [f"u{user},{item},{time}" for time, item in enumerate("edcba") for user in range(40)]
    path = file("e.csv", "\n".join(["user_id,item_id,timestamp", *lines]))
    summary = score(export, path, tmp_path / "out", k=5, shard_rows=1)
    assert summary["shards"] > 2
    assert dict(answers(tmp_path / "out")) == {f"u{user}": [] for user in range(40)}  # each has seen everything
    assert len(answers(tmp_path / "out")) == 40


def test_events_that_training_did_not_count_keep_their_items_from_the_answers(export, shop, file, tmp_path, alone):
    copy = with_rules(export, tmp_path, rating="stars", min_rating=3, user="who")
    text = "who,item_id,timestamp,stars\nu1,a,1,5\nu1,b,2,1\nu1,c,3,\n"
    summary = score(copy, file("e.csv", text), tmp_path / "out", k=5)
    (wanted,) = shop.recommend([["a"]], k=5, exclude=[["b"]]).item_ids
    assert answers(tmp_path / "out") == [("u1", [item for item in wanted if item])]
    assert (summary["rows"], summary["bad_rows"]) == (1, 1)


def with_rules(export, folder, **rules):
    """Copies the export, as if it had been trained with other rules for interactions."""
    copy = shutil.copytree(export, folder / "shop" / "1")
    manifest = json.loads((copy / "mmrec/manifest.json").read_text())
    manifest["events"] |= rules
    (copy / "mmrec/manifest.json").write_text(json.dumps(manifest))
    return copy


def test_only_the_types_that_are_named_keep_their_items_from_the_answers(export, shop, file, tmp_path, alone):
    rules = {"event": "kind", "kinds": ["buy"], "seen": ["buy", "hide"]}
    text = "user_id,item_id,timestamp,kind\nu1,a,1,buy\nu1,b,2,view\nu1,c,3,hide\n"
    score(with_rules(export, tmp_path, **rules), file("e.csv", text), tmp_path / "out", k=5)
    (wanted,) = shop.recommend([["a"]], k=5, exclude=[["c"]]).item_ids
    assert answers(tmp_path / "out") == [("u1", [item for item in wanted if item])]
    assert "b" in wanted


def test_where_an_export_does_not_leave_out_the_history_events_say_what_a_user_had(export, shop, file, tmp_path, alone):
    rules = {"event": "kind", "seen": ["buy"], "all_seen": False}  # views are history and may be recommended
    text = "user_id,item_id,timestamp,kind\nu1,a,1,buy\nu1,b,2,view\n"
    again = with_rules(export, tmp_path, **rules)
    manifest, staged = json.loads((again / "mmrec/manifest.json").read_text()), tmp_path / "staged"
    staged.mkdir()
    (shard,) = Plan([str(file("e.csv", text))], "recommend", again, manifest).shards(staged, 10)
    ((_, table),) = read_shard(shard, shop.spellings)
    assert table.to_pylist() == [{"user_id": "u1", "history": ["a", "b"], "exclude": ["a"]}]


def test_events_are_read_by_the_format_that_training_read_times_by(export, shop, file, tmp_path, alone):
    text = "user_id,item_id,timestamp\nu1,b,01/03/2024\nu1,a,02/02/2024\nu1,c,2024-03-04\n"
    summary = score(with_rules(export, tmp_path, formats=["%d/%m/%Y"]), file("e.csv", text), tmp_path / "out")
    assert answers(tmp_path / "out") == expected(shop, {"u1": ["a", "b"]}, 10)
    assert (summary["rows"], summary["bad_rows"]) == (1, 1)
    assert "must be a date-time of the form '%d/%m/%Y'" in bad_rows(tmp_path / "out")[0]["reason"]


def test_negative_events_are_history_however_they_are_rated_and_0_is_a_rating(export, shop, file, tmp_path, alone):
    rules = {"rating": "stars", "min_rating": 0, "event": "kind", "negative": ["return"]}
    copy = with_rules(export, tmp_path, **rules)
    text = "user_id,item_id,timestamp,stars,kind\nu1,a,1,0,buy\nu1,b,2,-1,buy\nu1,c,3,-1,return\nu1,d,4,,return\n"
    summary = score(copy, file("e.csv", text), tmp_path / "out", k=5)
    (wanted,) = shop.recommend([["a", "c", "d"]], k=5, exclude=[["b"]]).item_ids
    assert answers(tmp_path / "out") == [("u1", [item for item in wanted if item])]
    assert (summary["rows"], summary["bad_rows"]) == (1, 0)


def test_a_catalog_is_embedded_and_bad_rows_are_named(tiny_export, tmp_path, alone):
    table = pd.read_csv(tiny_export.shop / "catalog.csv", dtype=str).sort_values("item_id").head(6)
    table = pd.concat([table, table.head(1).assign(item_id="new", image="images/none.png")])
    table = pd.concat([table, table.head(1).assign(item_id="")])
    table.to_csv(tmp_path / "c.csv", index=False)
    summary = score(
        tiny_export.result.export_dir, tmp_path / "c.csv", tmp_path / "out", task="embed", media_dir=tiny_export.shop,
        batch_size=3,
    )  # fmt: skip
    written = pq.read_table(tmp_path / "out/rows").to_pandas()
    assert written.columns.tolist() == ["item_id", "embedding", "status", "model_version"]
    assert written["item_id"].tolist() == tiny_export.ids[1:7]
    np.testing.assert_allclose(np.stack(written["embedding"]), tiny_export.table.scored[1:7], atol=1e-4)
    assert written["status"].tolist() == [0] * 6
    assert (summary["rows"], summary["bad_rows"]) == (6, 2)
    assert [bad_row["row"] for bad_row in bad_rows(tmp_path / "out")] == [7, 8]
    reason = bad_rows(tmp_path / "out")[0]["reason"]
    assert reason.startswith("column `image`: ")
    assert "images/none.png: the file cannot be read" in reason


def test_items_of_which_nothing_is_readable_are_counted_and_a_file_of_nothing_else_is_refused(
    tiny_export, file, tmp_path, capsys, alone
):
    path = file("c.csv", "item_id,title\nx,\ny,red mug\n")
    assert score(tiny_export.result.export_dir, path, tmp_path / "out", task="embed")["items_without_content"] == 1
    assert capsys.readouterr().err.splitlines()[-1] == "1 of 2 items have nothing that the model reads"
    path = file("empty.csv", "item_id,title\nx,\ny,\n")
    for _ in range(2):
        with pytest.raises(mmrec.InputError, match=r"empty\.csv: none of 2 items has anything that the model reads\."):
            score(tiny_export.result.export_dir, path, tmp_path / "empty", task="embed")
    assert [child.name for child in (tmp_path / "empty").iterdir()] == [".lock"]


def test_a_done_job_is_not_done_again_and_another_one_is_refused(export, file, tmp_path, capsys, alone):
    path, out = file("h.csv", HISTORIES), tmp_path / "out"
    first = score(export, path, out, k=3)
    times = [part.stat().st_mtime_ns for part in (out / "rows").iterdir()]
    assert score(export, path, out, k=3) == first
    assert "the job is done" in capsys.readouterr().err
    assert [part.stat().st_mtime_ns for part in (out / "rows").iterdir()] == times
    with pytest.raises(mmrec.InputError, match="holds the answers of another job: not the same `k`"):
        score(export, path, out, k=2)
    path.write_text(HISTORIES.replace("a b", "b a"))
    with pytest.raises(mmrec.InputError, match="not the same `input`"):
        score(export, path, out, k=3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    with pytest.raises(mmrec.InputError, match="`output` must be absent, empty, or of the same job"):
        score(export, path, tmp_path / "full")
    assert [child.name for child in (tmp_path / "full").iterdir() if child.name != ".lock"] == ["mine.txt"]
    with pytest.raises(mmrec.InputError, match=r"`output` must be a folder\. Received a file: .*h\.csv\. Give another"):
        score(export, path, path)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("user_id,histori\n", {}, "must have the columns `user_id` and `history`, or, of events, `user_id`, `item_id`"),
        ("user,history\n", {}, "must have the columns `user_id`, `history`. Did you mean `user`?"),
        ("user_id,history,history\n", {}, "column `history` appears twice"),
        ("item_id\nx\n", {"task": "label"}, "no signature `attributes`, which 'label' asks. It has: embed_item, "),
        ("name\nx\n", {"task": "embed"}, "must have the columns `item_id`. Found: name"),
        (HISTORIES, {"k": 0}, "`k` must be an integer >= 1. Received: 0"),
        (HISTORIES, {"task": "guess"}, "`task` must be one of recommend, embed, label. Received: 'guess'"),
        (HISTORIES, {"workers": 2}, "`workers` needs the package apache-beam. Install it: pip install"),
    ],
)
def test_jobs_that_cannot_be_done_are_explained(export, file, tmp_path, alone, text, options, message):
    with pytest.raises(mmrec.InputError, match=message):
        score(export, file("f.csv", text), tmp_path / "out", **options)


def test_absent_input_and_other_formats_are_explained(export, file, tmp_path, alone):
    with pytest.raises(mmrec.InputError, match=r"no such file\. Give `input` a file, a folder of files, or a pattern"):
        score(export, tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(mmrec.InputError, match=r"`input` must end in one of \.parquet, \.csv, \.csv\.gz. Received"):
        score(export, file("x.txt", "x"), tmp_path / "out")
    pd.DataFrame({"user_id": ["u"], "history": ["a b"]}).to_parquet(tmp_path / "h.parquet")
    with pytest.raises(mmrec.InputError, match=r"column `history` must hold lists of texts or numbers\. Received: "):
        score(export, tmp_path / "h.parquet", tmp_path / "out")


@pytest.mark.slow
def test_two_processes_do_what_one_does(export, file, tmp_path, capfd):
    pytest.importorskip("apache_beam")
    path = file("h.csv", HISTORIES)
    score(export, path, tmp_path / "one", k=3, shard_rows=2)
    score(export, path, tmp_path / "two", k=3, shard_rows=2, workers=2)
    assert answers(tmp_path / "two") == answers(tmp_path / "one")
    assert bad_rows(tmp_path / "two") == bad_rows(tmp_path / "one")
    said = capfd.readouterr().err.splitlines()
    assert said[-2:] == ["shards: 4 of 4 scored", f"3 bad rows are left out; {tmp_path}/two/bad_rows.jsonl says why"]
    allowed = ("bytes: ", "shards: ", "3 bad rows")
    assert all(line.startswith(allowed) for line in said)  # no notes of Beam or of the processes


def test_the_command_prints_the_summary(command, export, file, tmp_path, alone):
    path = file("h.csv", HISTORIES)
    code, out, _ = command("score", export, "--input", path, "--output", tmp_path / "out", "-k", 2, "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["rows"] == 5
    code, out, errors = command("score", export, "--input", path, "--output", tmp_path / "out", "-k", 3)
    assert (code, out) == (2, "")
    assert errors.startswith(f"error: {tmp_path}/out: holds the answers of another job")
    code, out, _ = command("score", export, "--input", path, "--output", tmp_path / "out", "-k", 2)
    assert code == 0
    assert "unknown_histories  0" in out.splitlines()
    code, out, errors = command("score", export, "--input", file("e.csv", NOBODY), "--output", tmp_path / "none")
    assert (code, out) == (2, "")
    assert "Not one of 2 rows can be used" in errors
