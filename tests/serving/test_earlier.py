"""Earlier exports, whose manifests do not say what they read, load, answer, score and are refreshed as before."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import mmrec
from mmrec.manifest import EventRules, Files, Interface
from mmrec.schema import Field
from mmrec.serving.earlier import completed
from mmrec.serving.verify import read_manifest
from tests.refreshing.world import items, write, write_export

STATED = ("inputs", "libraries", "fields", "filters", "id_columns", "files", "events", "max_length", "notes")


def as_before(version, folder):
    """Copies a version without the entries that earlier manifests lack."""
    copy = Path(shutil.copytree(version, folder / version.parent.name / version.name))
    path = copy / "mmrec/manifest.json"
    manifest = {name: one for name, one in json.loads(path.read_text()).items() if name not in STATED}
    path.write_text(json.dumps(manifest))
    return copy


@pytest.fixture
def earlier(tiny_export, tmp_path):
    return as_before(tiny_export.result.export_dir, tmp_path)


def test_their_completed_manifests_say_what_later_ones_say(tiny_export, earlier):
    stated, derived = read_manifest(tiny_export.result.export_dir), read_manifest(earlier)
    assert {name: derived[name] for name in STATED[:2]} == {name: stated[name] for name in STATED[:2]}
    assert Interface.of(json.loads(json.dumps(derived))) == Interface.of(stated)


def test_they_answer_and_embed_as_before(tiny_export, earlier):
    shop, before = mmrec.load(tiny_export.result.export_dir), mmrec.load(earlier)
    assert before.signatures == shop.signatures
    asked = {"histories": [tiny_export.ids[3:6], []], "k": 5, "filter": {"category": "mug"}}
    assert before.recommend(**asked).item_ids.tolist() == shop.recommend(**asked).item_ids.tolist()
    table = pd.DataFrame({"title": ["Red mug"], "image": [next((tiny_export.shop / "images").iterdir())]})
    np.testing.assert_array_equal(before.embed_items(table), shop.embed_items(table))


def test_they_score_as_before(tiny_export, earlier, tmp_path):
    catalog = pd.read_csv(tiny_export.shop / "catalog.csv", dtype=str).head(4)
    catalog.to_csv(tmp_path / "c.csv", index=False)
    events = pd.DataFrame({"user_id": ["u", "u"], "item_id": catalog["item_id"][:2], "timestamp": [1, 2]})
    events.to_csv(tmp_path / "e.csv", index=False)
    answers = []
    for number, export in enumerate((tiny_export.result.export_dir, earlier)):
        output = tmp_path / f"out-{number}"
        mmrec.score(export, tmp_path / "e.csv", output / "recommend", k=3)
        mmrec.score(export, tmp_path / "c.csv", output / "embed", task="embed", media_dir=tiny_export.shop)
        answers.append([pq.read_table(output / task / "rows").to_pydict() for task in ("recommend", "embed")])
    assert answers[0] == answers[1]
    assert len(answers[0][0]["item_ids"][0]) == 3
    assert answers[0][1]["status"] == [0] * 4


def test_a_refreshed_one_says_what_it_reads(tmp_path):
    version = as_before(write_export(tmp_path, index="ivf", index_storage="int8"), tmp_path / "before")
    table = items().rename(columns={"vector": "v", "title": "name"}).iloc[:-1]
    columns = {"features": "v", "payload": ["name"]}
    refreshed = mmrec.refresh(version, write(tmp_path / "new.parquet", table), data={"catalog": columns})
    written = refreshed.export_dir
    manifest = json.loads((written / "mmrec/manifest.json").read_text())
    assert manifest["refresh"]["delisted"] == 1
    assert manifest["fields"] == [
        {"column": "v", "modality": "features", "input": "features", "kind": "vector", "trained": "vector"}
        | {"status": 0, "max_pixels": None},
        {"column": "item_id", "modality": "item_id", "input": "item_id", "kind": "id", "trained": ""}
        | {"status": 0, "max_pixels": None},
    ]
    assert manifest["filters"] == ["kind"]
    assert manifest["inputs"]["embed_item"]["features"] == {"dtype": "float32", "shape": [None, 2]}
    again = as_before(written, tmp_path / "again")
    assert Interface.of(read_manifest(again)).fields == Interface.of(manifest).fields
    assert mmrec.load(again).recommend([["i00"]], k=3).item_ids.tolist() == (
        mmrec.load(written).recommend([["i00"]], k=3).item_ids.tolist()
    )


def test_the_settings_of_earlier_configs_are_understood(earlier):
    config = {
        "item": {
            "modalities": ["text", "image", "attributes", "item_id"],
            "image": {"size": 64, "weights": None, "max_pixels": 900},
            "text": {"max_tokens": 8},
        },
        "data": {
            "catalog": {
                "item_id": "sku", "text": ["name", "größe"], "image": "photo", "image_dir": "photos",
                "on_missing_image": "mask", "attributes": {"price": "price", "text": "category"}, "filters": ["a", "a"],
            },
            "interactions": {"user_id": "who", "event": "what", "positive_events": ["buy"], "seen_events": ["buy"]},
        },
        "query": {"max_length": 7},
        "retrieval": {"repeat_consumption": True},
    }  # fmt: skip
    interface = Interface.of(completed({"config": config}, earlier))
    assert interface.fields == (
        Field("name", "text", "name", "text"),
        Field("größe", "text", "gr__e", "text"),
        Field("photo", "image", "image_bytes", "bytes", status=1, max_pixels=900),
        Field("price", "attributes", "price", "number"),
        Field("text", "attributes", "text_", "category"),
        Field("sku", "item_id", "item_id", "id"),
    )
    assert interface.filters == ("a",)
    assert interface.id_columns == ("sku", "item_id")
    assert interface.files == {"image_bytes": Files("photos", mask=True)}
    rules = EventRules(user="who", event="what", kinds=["buy"], seen=["buy"], repeat=True)
    assert interface.events == rules
    assert interface.max_length == 7
    assert [note.partition(":")[0] for note in interface.notes[:2]] == [
        "Photos",
        "The image backbone began with random weights",
    ]
    assert interface.notes[2] == "Texts are read up to 8 tokens per column, with the catalog's vocabulary."


@pytest.mark.parametrize("config", [{}, {"item": None}, {"item": {"modalities": None}}])
def test_one_without_the_config_that_is_read_is_refused(earlier, config):
    path = earlier / "mmrec/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"config": config}))
    with pytest.raises(mmrec.InputError, match=r"1: cannot be loaded \("):
        mmrec.load(earlier)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (Path.unlink, r"is not a whole export \(saved_model\.pb: No such file or directory\)"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), r"saved_model\.pb: is not as it was exported"),
    ],
)
def test_one_whose_graph_cannot_be_read_is_named(earlier, spoil, message):
    spoil(earlier / "saved_model.pb")
    with pytest.raises(mmrec.InputError, match=message):
        read_manifest(earlier)
