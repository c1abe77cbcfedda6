"""Runs are compared: hand-made run folders, and one that a training left."""

import json

import numpy as np
import pandas as pd
import pytest

import mmrec
from mmrec.errors import InputError
from mmrec.evaluation.query_table import encode_query_table
from mmrec.training.run_folder import RunFolder
from tests.evaluation.worlds import make_queries

ITEMS = np.array(["", "mug", "lamp", "bowl"], object)
USERS = [f"u{number}" for number in range(40)]


@pytest.fixture
def run(tmp_path):
    """Returns `run(name, ndcg, ...)`: makes the folder of a finished run and returns it as a string."""

    def make(name, ndcg, users=USERS, items=ITEMS, relevant=None, **more):
        folder = RunFolder(tmp_path / name)
        folder.checkpoints.mkdir(parents=True)
        (folder.path / "config.yaml").write_text("name: shop\n")
        values = {"ndcg@10": np.asarray(ndcg, float), **more}
        queries = make_queries([[1]] * len(users) if relevant is None else relevant)
        folder.test_queries.write_bytes(encode_query_table(np.array(users, object), items, queries, values))
        folder.write_metrics({})
        return str(folder.path)

    return make


def test_the_difference_of_two_runs_is_paired_over_users(run):
    base = np.tile([0.0, 0.5], 20)
    comparison = mmrec.compare_runs(run("a", base), run("b", base + 0.25))
    assert comparison["users"] == 40
    assert comparison["left_out"] == {"a": 0, "b": 0}
    assert list(comparison["metrics"]) == ["ndcg@10"]
    one = comparison["metrics"]["ndcg@10"]
    assert (one["a"], one["b"], one["difference"], one["probability_b_better"]) == (0.25, 0.5, 0.25, 1.0)
    assert one["difference_ci95"] == pytest.approx([0.25, 0.25])


def test_the_order_of_the_users_changes_nothing(run):
    a, b = np.random.default_rng(0).random((2, 40))
    order = np.random.default_rng(1).permutation(40)
    comparison = mmrec.compare_runs(run("a", a), run("b", b))
    again = mmrec.compare_runs(run("c", a[order], [USERS[i] for i in order]), run("d", b))
    assert again["metrics"] == comparison["metrics"]
    low, high = comparison["metrics"]["ndcg@10"]["difference_ci95"]
    assert low < high


def test_users_that_one_side_did_not_ask_for_are_left_out_and_counted(run):
    a = run("a", [0.0, 0.0, 0.0], ["u1", "u2", "u3"])
    b = run("b", [0.5, 0.5, 1.0, 1.0], ["u2", "u3", "u4", "u5"])
    comparison = mmrec.compare_runs(a, b)
    assert comparison["users"] == 2
    assert comparison["left_out"] == {"a": 1, "b": 2}
    assert comparison["metrics"]["ndcg@10"]["b"] == 0.5


def test_several_seeds_of_a_side_widen_the_interval(run):
    a = run("a", np.full(40, 0.25))
    b = [run(f"b{seed}", np.full(40, value)) for seed, value in enumerate([0.25, 0.375, 0.5])]
    one = mmrec.compare_runs(a, b[1])["metrics"]["ndcg@10"]
    all_three = mmrec.compare_runs(a, b)["metrics"]["ndcg@10"]
    assert one["difference"] == all_three["difference"] == 0.125
    assert one["difference_ci95"] == pytest.approx([0.125, 0.125])
    assert all_three["difference_ci95"] == pytest.approx([0.0, 0.25])
    assert all_three["probability_b_better"] == pytest.approx(17 / 18, abs=0.02)  # a ninth of the draws is a tie


def test_only_metrics_that_every_run_has_are_compared_and_some_can_be_chosen(run):
    zeros = np.zeros(40)
    a = run("a", zeros, **{"mrr": zeros, "ndcg@5": zeros})
    b = run("b", zeros, **{"recall@10": zeros, "mrr": zeros})
    assert list(mmrec.compare_runs(a, b)["metrics"]) == ["ndcg@10", "mrr"]
    assert list(mmrec.compare_runs(a, b, metrics=["mrr"])["metrics"]) == ["mrr"]


def export(folder):
    """Makes a folder that looks like an export."""
    (folder / "mmrec").mkdir(parents=True)
    (folder / "mmrec" / "manifest.json").write_text("{}")
    return str(folder)


def spoilt(tmp_path, make, how):
    """Makes a second run that cannot be compared with `run("a", zeros)`; returns what to compare it by."""
    zeros = np.zeros(40)
    if how == "nothing":
        return str(tmp_path / "nothing")
    if how == "another folder":
        (tmp_path / "b").mkdir()
        return str(tmp_path / "b")
    if how == "an export":
        return export(tmp_path / "b")
    if how == "other items":
        return make("b", zeros, items=np.append(ITEMS, "cup"))
    if how == "other answers":
        return make("b", zeros, relevant=[[1]] * 37 + [[2]] * 3)
    if how == "other users":
        return make("b", zeros, [f"x{user}" for user in USERS])
    path = make("b", zeros)
    if how == "twice":
        return [path, path]
    if how == "unfinished":
        RunFolder(tmp_path / "b").metrics.unlink()
    if how == "no queries":
        RunFolder(tmp_path / "b").test_queries.unlink()
    if how == "broken":
        RunFolder(tmp_path / "b").test_queries.write_bytes(b"PAR1")
    return path


REFUSED = {
    "nothing": "nothing: is neither a run folder nor an export. Give runs/<name>/<number>, or saved_models/<name>/<ver",
    "another folder": "b: is neither a run folder nor an export. Give runs/<name>/<number>, or saved_models/",
    "an export": "b, an export. Give two exports, or runs alone.",
    "other items": "their catalogs hold different items. Compare runs of the same data",
    "other answers": "for 3 of 40 users other items are right or excluded. Compare runs of the same data",
    "other users": "no user is in this test and in that of",
    "twice": "`run_b` must name each run once",
    "unfinished": "b: the run has not finished. Give the command that trained it again",
    "no queries": "test_queries.parquet: no such file: an earlier version of mmrec trained the run. Train it again.",
    "broken": "test_queries.parquet: cannot be read",
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_cannot_be_compared_is_refused(run, tmp_path, how):
    a, b = run("a", np.zeros(40)), spoilt(tmp_path, run, how)
    with pytest.raises(InputError) as error:
        mmrec.compare_runs(a, b)
    assert REFUSED[how] in str(error.value)


def test_an_unknown_metric_names_the_nearest(run):
    with pytest.raises(InputError, match=r"called 'ndgc@10'\. Did you mean `ndcg@10`\? Known: ndcg@10\."):
        mmrec.compare_runs(run("a", np.zeros(40)), run("b", np.zeros(40)), metrics=["ndgc@10"])


def test_too_few_samples_are_refused(run):
    with pytest.raises(InputError, match="`samples` must be at least 10"):
        mmrec.compare_runs(run("a", np.zeros(40)), run("b", np.zeros(40)), samples=1)


def test_a_training_leaves_the_values_whose_means_its_metrics_are(tiny_export):
    run_dir, metrics = tiny_export.result.run_dir, tiny_export.result.metrics
    table = pd.read_parquet(run_dir / "test_queries.parquet")
    assert len(table) == metrics["queries"] == table["user_id"].nunique()
    names = [name for name in metrics["test"] if not name.startswith("coverage") and not name.endswith("_ci95")]
    assert list(table.columns) == ["user_id", "question", *names]
    for name in names:
        assert table[name].mean() == pytest.approx(metrics["test"][name], abs=1e-6)
    comparison = mmrec.compare_runs(run_dir, run_dir)
    assert all(one["difference_ci95"] == [0, 0] for one in comparison["metrics"].values())
    assert all(one["probability_b_better"] == 0.5 for one in comparison["metrics"].values())


def test_the_command_prints_a_table(run, command):
    base = np.tile([0.0, 0.5], 20)
    a, b = run("a", base), [run(name, base + 0.25) for name in ("b", "c")]
    code, out, errors = command("compare", a, ",".join(b))
    assert (code, errors) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["test", "A", "B", "B", "minus", "A", "95%", "interval", "P(B", "better)"]
    assert lines[1] == ["ndcg@10", "0.2500", "0.5000", "+0.2500", "[+0.2500,", "+0.2500]", "1.000"]
    assert out.splitlines()[2] == "40 users; left out: 0 of A, 0 of B"
    over = "users and the seeds of B; nothing is said about seeds of A"
    assert out.splitlines()[3] == f"1 run of A, 2 of B; intervals over {over}"


def test_the_command_prints_json_and_ends_with_2_on_a_bad_folder(run, command, tmp_path):
    a, b = run("a", np.zeros(40)), run("b", np.ones(40), mrr=np.ones(40))
    code, out, _ = command("compare", a, b, "--metric", "ndcg@10", "--json")
    printed = json.loads(out.splitlines()[-1])
    assert code == 0
    assert (printed["a"], printed["b"]) == ([a], [b])
    assert printed["metrics"]["ndcg@10"]["difference"] == 1.0
    code, out, errors = command("compare", a, tmp_path)
    assert (code, out) == (2, "")
    assert errors.startswith(f"error: {tmp_path}: is neither a run folder nor an export. Give runs/<name>/<number>, or")
