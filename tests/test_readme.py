"""What the README says works as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import mmrec
from mmrec.config.reference import config_reference

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    fences = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in fences if name == language]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """A folder in which the README's console commands have run, with their outputs."""
    folder, outputs = tmp_path_factory.mktemp("tour"), []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TFDS_DATA_DIR": str(folder / "tfds")}
    for block in blocks("console"):
        for command in re.findall(r"^\$ (.*)$", block, flags=re.MULTILINE):
            if "$ITEM" in command:
                item = pd.read_csv(folder / "shop" / "catalog.csv", dtype=str)["item_id"][0]
                command = command.replace("$ITEM", item)
            command = command.replace("mmrec ", f"{sys.executable} -m mmrec ", 1)
            done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stderr}"
            outputs.append(done.stdout)
    return folder, outputs


@pytest.mark.slow
def test_the_console_commands_of_the_tour_run(tour):
    _, outputs = tour
    assert len(outputs) == 5
    assert "popularity" in outputs[1]
    assert "item_knn" in outputs[2]
    assert len(outputs[3].strip().splitlines()) == 3  # -k 3
    assert [line.split()[-1] for line in outputs[4].splitlines()] == ["mug"] * 3  # the category ends the payload


@pytest.mark.slow
def test_evaluating_the_export_prints_the_table_of_the_training(tour):
    _, outputs = tour
    trained, evaluated = (
        [line for line in out.splitlines() if line.startswith(("mmrec", "popularity"))] for out in outputs[1:3]
    )
    assert [re.sub(r"\d{2}\b", "", line) for line in trained] == [re.sub(r"\d{2}\b", "", line) for line in evaluated]


@pytest.mark.slow
def test_the_python_example_runs(tour, monkeypatch):
    folder, _ = tour
    monkeypatch.chdir(folder)
    (code,) = blocks("python")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["answers"].item_ids.shape == (2, 5)
    assert all(names["answers"].item_ids.ravel())
    categories = names["shop"].items.set_index("item_id")["category"]
    assert set(categories[names["mugs"].item_ids[0]]) == {"mug"}


def test_the_config_examples_are_valid_configs(tmp_path):
    path, configs = tmp_path / "config.yaml", []
    for text in blocks("yaml"):
        path.write_text(text)
        configs.append(mmrec.Config.load(path))
    shop, context = configs
    assert shop.data.catalog.item_id == "sku"
    assert context.query.context == ("time_gap", "event")
    assert context.data.users.attributes == {"town": "category", "age": "number"}


def test_the_error_example_is_what_is_said(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("training: {epoch: 3}")
    with pytest.raises(mmrec.InputError) as caught:
        mmrec.Config.load(path)
    shown = next(block for block in blocks("") if "no such key" in block).strip().removesuffix("...")
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(shown)


def test_the_two_commands_are_targets_of_the_makefile_and_ci_runs_the_test_command():
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci" / "run").read_text()
    for command in re.findall(r"^make ([\w-]+) ", README, flags=re.MULTILINE):
        assert f"\n{command}:" in makefile
    assert "\nmake test\n" in ci


def test_every_config_in_pipelines_loads():
    paths = sorted((ROOT / "pipelines" / "configs").glob("*.yaml"))
    assert {path.stem for path in paths} >= {"quickstart", "wines", "retail"}
    for path in paths:
        assert mmrec.Config.load(path).name == path.stem


def test_the_config_reference_is_what_the_config_says():
    page = (ROOT / "pipelines" / "configs" / "README.md").read_text(encoding="utf-8")
    assert page == config_reference(), "run: mmrec schema --markdown > pipelines/configs/README.md"
    assert "| `item.text.units` | integer >= 1 | `64` | Width of the encoder: " in page
