"""A modality from outside mmrec, in one folder, works from the catalog to a served answer."""

import csv
import json

import numpy as np
import pandas as pd
import pytest

import mmrec
from mmrec.config import Config
from mmrec.jobs.prepare import run_identity
from tests.jobs.worlds import write_groups

PATH = "tests.toys.smell:Smell"


def write_shop(folder, **smell):
    """Writes 24 items: red ones smell of rose, blue ones of oak, the last has no smell. Returns the config."""
    config = write_groups(folder, epochs=2)
    with open(folder / "items.csv", newline="") as file:
        header, *rows = csv.reader(file)
    with open(folder / "items.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*header, "scent"])
        for number, row in enumerate(rows):
            smell_of = f"{'rose' if number < 12 else 'oak'}:0.{number % 12 + 1} musk:0.2"
            table.writerow([*row, "" if number == 23 else smell_of])
    config["item"] |= {"modalities": ["text", PATH], "custom": {"smell": {"column": "scent", **smell}}}
    return config


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trained shop: its config, and what `mmrec.train` returned."""
    folder = tmp_path_factory.mktemp("smell")
    config = write_shop(folder)
    return config, mmrec.train(config)


@pytest.mark.slow
def test_it_is_trained_exported_and_asked(trained, tmp_path):
    config, result = trained
    shop = mmrec.load(result.export_dir)
    assert shop.recommend([["red-1", "red-2"]], k=3).item_ids.shape == (1, 3)
    assert set(shop.inputs("embed_item")) == {"text", "smell"}
    assert result.metrics["slices"]["missing_smell"]["queries"] > 0
    table = pd.read_csv(config["data"]["catalog"]["path"], keep_default_na=False).sort_values("item_id")
    np.testing.assert_allclose(shop.embed_items(table), shop.item_table[1:], atol=1e-5)
    new = pd.DataFrame({"title": ["red thing 99"] * 3, "scent": ["rose:0.5 musk:0.2", "oak:0.5", ""]})
    rose, oak, none = shop.embed_items(new)
    assert np.abs(rose - oak).max() > 1e-3
    assert np.abs(oak - none).max() > 1e-3
    assert "Smells are read by their notes: rose, musk, oak." in (result.export_dir / "mmrec/README.md").read_text()
    fields = json.loads((result.export_dir / "mmrec/manifest.json").read_text())["fields"]
    assert [(field["column"], field["input"], field["kind"]) for field in fields] == [
        ("title", "text", "text"),
        ("scent", "smell", "text"),
    ]


@pytest.mark.slow
def test_a_refresh_embeds_a_new_item_by_its_smell(trained, tmp_path):
    config, result = trained
    table = pd.read_csv(config["data"]["catalog"]["path"], keep_default_na=False)
    more = pd.DataFrame({"item_id": ["new"], "title": ["red thing 99"], "scent": ["rose:0.5 musk:0.2"]})
    pd.concat([table, more]).to_csv(tmp_path / "items.csv", index=False)
    version = mmrec.refresh(result.export_dir, tmp_path / "items.csv")
    before, after = mmrec.load(result.export_dir), mmrec.load(getattr(version, "export_dir", version))
    assert len(after.items) == 25
    row = after.items["item_id"].tolist().index("new") + 1
    np.testing.assert_allclose(after.item_table[row], before.embed_items(more)[0], atol=1e-5)
    assert "new" in after.recommend([["red-1", "red-2"]], k=25).item_ids[0].tolist()


def test_a_check_covers_it(tmp_path):
    facts = mmrec.check(write_shop(tmp_path), probe=False).facts
    assert facts["coverage"] == {"text title": 1.0, "smell": 23 / 24}


@pytest.mark.parametrize(
    ("smell", "said"),
    [
        ({"dropout": 2}, "`item.custom.smell.dropout`: Input should be less than 1. Received: 2."),
        ({"columm": "x"}, "`item.custom.smell.columm`: no such key. Did you mean `item.custom.smell.column`?"),
        ({"notes": "rose"}, "`item.custom.smell.notes`: must be a list, for example [rose]. Received: 'rose'."),
    ],
)
def test_wrong_settings_are_named_by_their_key(tmp_path, smell, said):
    with pytest.raises(mmrec.InputError) as error:
        Config.load(write_shop(tmp_path, **smell))
    assert said in str(error.value)


def test_wrong_settings_in_a_file_name_the_file(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(json.dumps(write_shop(tmp_path, dropout=2)))
    with pytest.raises(mmrec.InputError) as error:
        Config.load(file)
    assert str(error.value).startswith(f"{file}: `item.custom.smell.dropout`")


def test_settings_of_a_modality_that_is_not_used_are_refused():
    with pytest.raises(mmrec.InputError, match=r"`item\.custom\.smel`: no modality .* Did you mean `smell`\?"):
        Config.load(item={"modalities": ["text", PATH], "custom": {"smel": {}}})
    with pytest.raises(mmrec.InputError, match=r"`item\.custom\.smell`: no modality .* Own ones: none"):
        Config.load(item={"modalities": ["text"], "custom": {"smell": {}}})


def test_a_column_that_the_catalog_lacks_is_named(tmp_path):
    (error,) = mmrec.check(write_shop(tmp_path, column="sent"), probe=False).errors
    assert "items.csv: has no column `sent`" in error or "no column `sent`" in error
    assert "Did you mean `scent`?" in error


def test_a_cell_that_breaks_its_rule_is_named_by_its_row(tmp_path):
    config = write_shop(tmp_path, notes=["rose", "musk"])
    (error,) = mmrec.check(config, probe=False).errors
    # The first item that smells of oak stands in row 13 of the file.
    assert (
        "items.csv, row 13, column `scent`: must be notes with their strengths, such as rose:0.5. Received: " in error
    )
    assert "'oak:0.1'. Correct it, or leave it empty." in error


class Nameless:
    """No modality at all."""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tests.toys.smell:Smelt", "cannot be imported"),
        (f"{__name__}:Nameless", "must be a class that extends `mmrec.modalities.modality.Modality`"),
        ("mmrec.modalities.text.modality:TextModality", "must have a `name` of its own"),
        ("mmrec.modalities.modality:Modality", "must have a `name` of its own, an identifier"),
    ],
)
def test_what_is_no_modality_of_ones_own_is_refused(path, said):
    with pytest.raises(mmrec.InputError) as error:
        Config.load(item={"modalities": ["text", path]})
    assert said in str(error.value)


def test_paths_in_its_settings_start_at_the_folder_of_the_config(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(write_shop(tmp_path, legend="legend.txt")))
    config = Config.load(tmp_path / "config.json")
    assert config.item.custom["smell"]["legend"] == str(tmp_path / "legend.txt")
    (tmp_path / "legend.txt").write_text("oak: wood")
    before = run_identity(config)
    (tmp_path / "legend.txt").write_text("oak: of wood")
    assert run_identity(config) != before


def test_a_config_with_it_survives_its_own_yaml(tmp_path):
    config = Config.load(write_shop(tmp_path))
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert Config.load(tmp_path / "config.yaml") == config
