"""Exports are compared: with answers made by hand, and with exports that are really asked."""

import json

import numpy as np
import pandas as pd
import pytest

import mmrec
import mmrec.comparing.exports as job
from mmrec.errors import InputError
from mmrec.export.saved_model import write_version
from mmrec.serving.answers import Answers
from tests.export.small import small_version

HISTORIES = "user_id,history,country\nu1,a b a,DE\nu2,,DE\nu3,x b,FR\n"
ANSWERS = {
    "A": {"a b a": "b c d", "": "a b c", "x b": "a b c"},
    "B": {"a b a": "b c e", "": "a b c", "x b": "c b a"},
}
SCORES = {"A": {"a b a": 0.8}, "B": {"a b a": 0.6}}  # of each answer; 0.5 elsewhere
ITEMS = {"A": ["a", "b", "c", "d"], "B": ["a", "b", "c", "e"]}


class Scripted:
    """Answers as `ANSWERS` says."""

    def __init__(self, path):
        self.name, self.items = path.name, pd.DataFrame({"item_id": ITEMS[path.name]})
        self.context_inputs = {"now": None} if self.name == "B" else {}

    def recommend(self, histories, k):
        asked = [" ".join(history) for history in histories]
        lists = [ANSWERS[self.name][one].split()[:k] for one in asked]
        scores = [[SCORES[self.name].get(one, 0.5)] * len(lists[0]) for one in asked]
        return Answers(np.array(lists, object), np.array(scores, np.float32))


def folder_of_export(folder):
    (folder / "mmrec").mkdir(parents=True)
    (folder / "mmrec" / "manifest.json").write_text("{}")
    return folder


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Two folders that look like exports and answer as `ANSWERS` says."""
    monkeypatch.setattr(job, "Recommender", Scripted)
    return [folder_of_export(tmp_path / name) for name in "AB"]


@pytest.fixture
def histories(tmp_path):
    """Returns `histories(text)`: writes a file."""

    def write(text=HISTORIES):
        (tmp_path / "histories.csv").write_text(text)
        return tmp_path / "histories.csv"

    return write


def test_the_report_counts_what_changed(scripted, histories):
    drift = mmrec.compare_exports(*scripted, histories(), k=3)
    assert (drift["a"], drift["b"], drift["k"]) == (str(scripted[0]), str(scripted[1]), 3)
    assert drift["items"] == {"a": 4, "b": 4, "both": 3}
    assert drift["unknown_items"] == pytest.approx({"a": 0.2, "b": 0.2})  # x, of five
    overall = drift["overall"]
    assert overall["users"] == 3
    # u1 keeps 2 of 3, u2 all, u3 all in reverse. Common among the first 1, 2, 3: u1 1, 2, 2; u3 0, 1, 3.
    rbo_1 = (0.9 + 0.81 + 2 / 3 * 0.729) / 9 + 2 / 3 * 0.729
    rbo_3 = (0.405 + 0.729) / 9 + 0.729
    means = {
        "overlap": 8 / 9,
        "jaccard": 2.5 / 3,
        "rbo": (rbo_1 + 1 + rbo_3) / 3,
        "kendall_tau": 1 / 3,
        "changed": 2 / 3,
    }
    assert {name: overall[name]["mean"] for name in means} == pytest.approx(means)
    low, high = overall["rbo"]["ci95"]
    assert rbo_1 <= low < means["rbo"] < high <= 1
    assert overall["kendall_tau"]["users"] == 3
    assert overall["score"]["difference"] == pytest.approx(-0.2 / 3)
    # a and b occur twice in the histories, the others never.
    assert overall["popularity"]["a"] == pytest.approx((2 / 3 + 4 / 3 + 4 / 3) / 3)
    assert overall["popularity"]["difference"] == pytest.approx(0)
    assert (overall["lacking"]["a"], overall["lacking"]["b"]) == pytest.approx((1 / 9, 1 / 9))
    assert overall["coverage"] == {"a": 1.0, "b": 1.0, "difference": 0.0}


def test_segments_are_by_history_by_unknown_items_and_by_the_columns_of_the_file(scripted, histories):
    drift = mmrec.compare_exports(*scripted, histories(), k=3)["segments"]
    assert {name: one["users"] for name, one in drift.items()} == {
        "history_0": 1,
        "history_1_to_5": 2,
        "known_items": 2,
        "unknown_items": 1,
        "country=DE": 2,
        "country=FR": 1,
    }
    assert drift["history_0"]["changed"]["mean"] == 0
    assert drift["country=FR"]["kendall_tau"]["mean"] == -1
    assert drift["country=DE"]["overlap"]["mean"] == pytest.approx(5 / 6)
    assert drift["country=FR"]["coverage"]["a"] == 0.75
    assert drift["country=FR"]["effective_items"]["a"] == pytest.approx(3)


def test_the_most_changed_users_are_shown_and_those_without_a_change_are_not(scripted, histories):
    first, second = mmrec.compare_exports(*scripted, histories(), k=3)["examples"]
    assert (first["user_id"], first["a"], first["b"]) == ("u1", ["b", "c", "d"], ["b", "c", "e"])
    assert (first["last_items"], second["user_id"]) == (["a", "b", "a"], "u3")
    assert first["rbo"] < second["rbo"]


def test_the_batches_change_nothing(scripted, histories):
    whole = mmrec.compare_exports(*scripted, histories(), k=3)
    single = mmrec.compare_exports(*scripted, histories(), k=3, batch_size=1)
    for one, other in zip(walk(single), walk(whole), strict=True):
        assert one == pytest.approx(other)


def test_the_file_is_read_once(scripted, histories, monkeypatch):
    path, whole = histories(), mmrec.compare_exports(*scripted, histories(), k=3)
    ask = Scripted.recommend

    def forgetful(self, asked, k):
        path.unlink(missing_ok=True)
        return ask(self, asked, k)

    monkeypatch.setattr(Scripted, "recommend", forgetful)
    assert (
        mmrec.compare_exports(*scripted, path, k=3, batch_size=1)["overall"]["users"] == whole["overall"]["users"] == 3
    )
    assert not path.exists()


def walk(actual):
    """Returns all values of a report, in order."""
    if isinstance(actual, dict | list):
        parts = actual.values() if isinstance(actual, dict) else actual
        return [value for part in parts for value in walk(part)]
    return [actual]


def test_the_command_prints_tables_or_json(scripted, histories, command, monkeypatch):
    monkeypatch.setattr("mmrec.cli.compare.start_tensorflow", lambda: None)
    arguments = ["compare", *scripted, "--histories", histories(), "-k", 3, "--segment", "country"]
    code, out, errors = command(*arguments)
    assert (code, errors) == (0, "\rusers: 3 of 3 computed\n")
    rows = {line[:20].strip(): line[20:].split() for line in out.splitlines() if line}
    assert rows["answers in common"][0] == "0.8889"
    assert rows["Kendall's tau"][-2:] == ["3", "users"]
    assert rows["mean score"][:3] == ["0.6000", "0.5333", "-0.0667"]
    assert "u1, rank-biased overlap 0.7300, last saw a b a" in out
    assert any(line.split()[:2] == ["country=FR", "1"] for line in out.splitlines())
    code, out, _ = command(*arguments, "--json")
    assert json.loads(out.splitlines()[-1]) == mmrec.compare_exports(*scripted, histories(), segments=["country"], k=3)


def test_histories_without_rows_or_items_are_refused(scripted, histories):
    many = "\n".join(f"u{number},a,{number}" for number in range(51))
    for text, message in [
        ("user_id,history\n", "histories.csv: holds no rows. Give `histories` a file with at least one."),
        (
            'user_id,history\nu1,"a,b"\n',
            "holds no item of the exports. Received: 'a,b', for one. In csv, a single space",
        ),
        (
            "user_id,history\nu1,a  b\n",
            "row 1, column `history`: must be item ids with a single space between each two.",
        ),
    ]:
        with pytest.raises(InputError) as error:
            mmrec.compare_exports(*scripted, histories(text))
        assert message in str(error.value)
    assert mmrec.compare_exports(*scripted, histories("user_id,history\nu1,\n"), k=3)["unknown_items"] == {
        "a": 0,
        "b": 0,
    }
    wide = histories(f"user_id,history,age\n{many}\n".replace(",a,", ",a b a,"))
    with pytest.raises(InputError, match="column `age` makes segments and must have at most 50 values"):
        mmrec.compare_exports(*scripted, wide, segments=["age"])
    with pytest.raises(InputError, match=r"no column `contry`\. Did you mean `country`\?"):
        mmrec.compare_exports(*scripted, histories(), segments=["contry"])
    with pytest.raises(InputError, match=r"`k` must be an integer >= 1"):
        mmrec.compare_exports(*scripted, histories(), k=0)


def test_columns_that_nobody_named_make_segments_where_they_have_few_values(scripted, histories, capsys):
    lines = [f"u{user},x b,{user},{'even' if user % 2 == 0 else 'odd'},b" for user in range(51)]
    path = histories("\n".join(["user_id,history,age,kind,exclude", *lines]))
    drift = mmrec.compare_exports(*scripted, path, k=3)["segments"]
    assert {name for name in drift if "=" in name} == {"kind=even", "kind=odd"}
    assert "column `age` has over 50 values and makes no segments" in capsys.readouterr().err


def test_ignored_columns_that_batch_scoring_would_read_are_named(scripted, histories, capsys):
    path = histories("user_id,now,exclude,history,history_time\nu1,5,c,x b,1 2\n")
    mmrec.compare_exports(*scripted, path, k=3)
    said = capsys.readouterr().err
    assert f"{path}: the exports are asked by histories alone, without `now`, `exclude`\n" in said
    mmrec.compare_exports(*scripted, histories("user_id,history,history_time\nu1,x b,1 2\n"), k=3)
    assert "alone" not in capsys.readouterr().err  # neither export reads `history_time`


@pytest.mark.slow
def test_a_real_export_is_asked_as_users_ask_it_and_does_not_differ_from_itself(tmp_path):
    export = write_version(tmp_path / "shop", *small_version())
    pd.DataFrame({"user_id": [1, 2, 3], "history": [["a", "b"], [], ["c", "nope"]]}).to_parquet(tmp_path / "h.parquet")
    drift = mmrec.compare_exports(export, export, tmp_path / "h.parquet")
    overall = drift["overall"]
    assert overall["changed"] == {"mean": 0.0, "ci95": [0.0, 0.0]}
    assert overall["rbo"]["mean"] == pytest.approx(1)
    assert drift["examples"] == []
    assert drift["segments"]["unknown_items"]["users"] == 1
    answers = mmrec.load(export).recommend([["a", "b"], [], ["c"]])
    assert (answers.item_ids == "").sum(axis=1).tolist() == [2, 0, 1]  # five items, without the history
    means = [scores[ids != ""].mean() for ids, scores in zip(*answers, strict=True)]
    assert overall["score"]["a"] == overall["score"]["b"] == pytest.approx(np.mean(means))
    assert overall["coverage"] == {"a": 1.0, "b": 1.0, "difference": 0.0}
