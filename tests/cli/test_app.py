"""The command line: what it prints where, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mmrec
import mmrec.cli
from mmrec.reports.metrics import metrics_table


@pytest.fixture
def run(command):
    """The fixture `command`, by the name that reads well here."""
    return command


@pytest.fixture
def trained(monkeypatch, tiny_export):
    """Replaces training by its result; the list of configs that it was called with."""
    configs = []

    def train(config):
        configs.append(config)
        print("epoch 1/1", file=sys.stderr)
        return tiny_export.result

    monkeypatch.setattr(mmrec, "train", train)
    return configs


def fails_with(error):
    def fail(*_, **__):
        raise error

    return fail


def test_help_and_version_load_neither_tensorflow_nor_pandas(python):
    code = (
        "import sys, mmrec, mmrec.cli\nfor option in ('--help', '--version'):\n    sys.argv = ['mmrec', option]\n"
        "    try:\n        mmrec.cli.main()\n    except SystemExit as stop:\n        assert not stop.code\n"
        "print([name for name in ('tensorflow', 'pandas', 'numpy') if name in sys.modules])"
    )
    exit_code, out, _ = python(code)
    assert exit_code == 0
    assert "what shoppers took before" in " ".join(out.split())
    assert out.splitlines()[-2:] == [mmrec.__version__, "[]"]


COMMANDS = ("train", "tune", "evaluate", "check", "compare", "refresh", "recommend", "score", "sample", "schema")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_uses_its_own_options(run, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = run(name, "--help")
    assert code == 0
    example = next(line for line in out.splitlines() if line.strip().startswith("Example: ")).split()
    assert example[1:3] == ["mmrec", name]
    described = out[out.index("Options") :].split()
    assert [option for option in example if option.startswith("-") and option not in described] == []


@pytest.mark.parametrize(
    "arguments", [[], ["nope"], ["train"], ["recommend", "x", "-k", "0"], ["recommend", "x", "--nope"], ["sample"]]
)
def test_bad_usage_ends_with_2(run, arguments):
    assert run(*arguments)[0] == 2


def test_train_json_ends_stdout_with_one_object_and_keeps_progress_on_stderr(run, trained, tiny_export):
    code, out, errors = run("train", tiny_export.shop / "config.yaml", "--json")
    assert code == 0
    printed = json.loads(out.splitlines()[-1])
    assert set(printed) == {"run_dir", "export_dir", "metrics"}
    assert Path(printed["export_dir"]) == tiny_export.result.export_dir
    assert Path(printed["run_dir"]) == tiny_export.result.run_dir
    assert printed["metrics"] == json.loads((tiny_export.result.run_dir / "metrics.json").read_text())
    assert len(out.splitlines()) == 1
    assert errors == "epoch 1/1\n"


def test_train_prints_a_table_of_the_model_and_its_baselines(run, trained, tiny_export):
    code, out, _ = run("train", tiny_export.shop / "config.yaml")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[3:7]] == ["test", "mmrec", "popularity", "item_knn"]
    assert "113 queries, 150 candidates" in out


@pytest.mark.parametrize(("low", "neighbours", "hinted"), [(0.001, {}, False), (0, {}, True), (-1, {"rank": 2}, False)])
def test_who_is_not_clearly_ahead_of_neighbours_is_told_how_to_add_them(low, neighbours, hinted, tiny_export):
    metrics = json.loads((tiny_export.result.run_dir / "metrics.json").read_text()) | {"neighbours": neighbours}
    metrics["versus_baselines"]["item_knn"]["ndcg@10_difference_ci95"] = [low, 1]
    hint = (
        "Not clearly better than item-kNN on this test. Try `retrieval.neighbours: 512`, which adds item-kNN's "
        "signal to the model."
    )
    assert metrics_table(metrics).endswith(hint) == hinted


@pytest.mark.parametrize("name", ["train", "tune", "evaluate", "check"])
def test_the_help_says_where_paths_start(run, name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    shown = " ".join(run(name, "--help")[1].split())
    assert "Relative paths of data start at the config file's folder, as they do in the file." in shown


def test_set_overrides_the_config(run, trained, tiny_export):
    arguments = ["--set", "training.epochs=3", "--set", "item.modalities=[text]", "--set", "name=other"]
    assert run("train", tiny_export.shop / "config.yaml", *arguments)[0] == 0
    (config,) = trained
    assert (config.training.epochs, config.item.modalities, config.name) == (3, ("text",), "other")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("training.epochs=0", "`training.epochs`"),
        ("training.epoch=3", "Did you mean `training.epochs`"),
        ("training.epochs", "`--set` takes KEY=VALUE"),
    ],
)
def test_a_bad_config_is_one_message_and_ends_with_2(run, trained, tiny_export, assignment, message):
    code, out, errors = run("train", tiny_export.shop / "config.yaml", "--set", assignment)
    assert (code, out) == (2, "")
    assert errors.startswith("error: ")
    assert message in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1
    assert not trained


def test_absent_files_are_one_message_and_end_with_2(run, tmp_path):
    for arguments in (["train", tmp_path / "no.yaml"], ["recommend", tmp_path], ["evaluate", tmp_path]):
        code, out, errors = run(*arguments)
        assert (code, out) == (2, "")
        assert errors.startswith(f"error: {tmp_path}")
        assert "Traceback" not in errors


def test_a_training_that_goes_astray_is_one_message_and_ends_with_1(run, monkeypatch, tiny_export):
    monkeypatch.setattr(mmrec, "train", fails_with(mmrec.TrainingError("the loss is NaN. Lower the rate.")))
    assert run("train", tiny_export.shop / "config.yaml") == (1, "", "error: the loss is NaN. Lower the rate.\n")


def test_an_interrupted_training_says_how_to_go_on(run, monkeypatch, tiny_export):
    monkeypatch.setattr(mmrec, "train", fails_with(KeyboardInterrupt()))
    code, _, errors = run("train", tiny_export.shop / "config.yaml")
    assert code == 130
    assert errors == "interrupted; the same command continues the run\n"


def test_a_fault_of_mmrec_keeps_its_traceback(run, monkeypatch, tiny_export):
    monkeypatch.setattr(mmrec, "train", fails_with(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):  # Python prints it and ends with 1
        run("train", tiny_export.shop / "config.yaml")


def test_recommend_prints_the_answers_of_the_export(run, tiny_export):
    ids, export = tiny_export.ids, tiny_export.result.export_dir
    best = [item.decode() for item in tiny_export.best([3, 9], 3, {3, 9})[0]]
    code, out, errors = run("recommend", export, "--history", f"{ids[3]}, {ids[9]}", "-k", "3")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == best
    code, out, errors = run(
        "recommend", export, "--history", f"{ids[3]},{ids[9]},oops", "-k", 2, "--exclude", best[0], "--json"
    )
    printed = json.loads(out.splitlines()[-1])
    assert printed["item_ids"] == best[1:]
    assert len(printed["scores"]) == 2
    assert errors == "not in the export, skipped: oops\n"


def test_recommend_keeps_to_inclusions_and_filters(run, tiny_export, monkeypatch):
    export, ids = tiny_export.result.export_dir, tiny_export.ids
    shop = mmrec.load(export)
    monkeypatch.setattr(mmrec, "load", lambda path: shop)
    category = shop.items.set_index("item_id")["category"]
    code, out, _ = run("recommend", export, "-k", 5, "--filter", "category=mug", "--json")
    printed = json.loads(out.splitlines()[-1])["item_ids"]
    assert (code, set(category[printed])) == (0, {"mug"})
    code, out, errors = run("recommend", export, "--include", f"{ids[5]},oops", "--json")
    assert json.loads(out.splitlines()[-1])["item_ids"] == [ids[5]]
    assert errors == "not in the export, skipped: oops\n"
    code, out, errors = run("recommend", export, "--filter", "category=mugs")
    assert (code, out, errors) == (0, "", "no item has category=mugs. Did you mean `mug`?\n")
    code, out, errors = run("recommend", export, "--filter", "category=mug", "--filter", "colour=red")
    assert (code, out) == (2, "")
    assert errors.startswith("error: `filter`: no filter column `colour`.")


def test_evaluate_prints_metrics(run, tiny_export):
    export = tiny_export.result.export_dir
    code, out, _ = run("evaluate", export, "--json", "--set", "evaluation.bootstrap_samples=10")
    assert code == 0
    printed = json.loads(out.splitlines()[-1])
    assert printed["export_dir"] == str(export)
    assert printed["metrics"]["test"]["mrr"] == pytest.approx(tiny_export.result.metrics["test"]["mrr"], abs=1e-3)


def test_sample_writes_a_shop_and_names_the_next_command(run, tmp_path):
    code, out, _ = run("sample", tmp_path / "shop", "--size", "tiny", "--format", "parquet")
    assert code == 0
    assert f"mmrec train {tmp_path / 'shop' / 'config.yaml'}" in out
    assert (tmp_path / "shop" / "catalog.parquet").exists()
    code, _, errors = run("sample", tmp_path / "shop", "--size", "tiny")
    assert code == 2
    assert "must be absent or empty" in errors


def test_schema_prints_json(run):
    code, out, _ = run("schema")
    assert code == 0
    assert "training" in json.loads(out)["properties"]


def test_the_installed_command_writes_answers_to_stdout_and_nothing_to_stderr(tiny_export):
    # TensorFlow notes what the machine lacks; its log level of the tests must not be what keeps it silent.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "CUDA_"))}
    command = [sys.executable, "-m", "mmrec", "recommend", str(tiny_export.result.export_dir), "-k", "2"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""
