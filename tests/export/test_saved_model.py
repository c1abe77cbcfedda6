"""What a version folder holds, and that it is written completely or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mmrec
from mmrec.export import saved_model
from mmrec.index.item_table import ItemTable
from tests.export.small import small_version

FILES = {
    "assets.extra/tf_serving_warmup_requests",
    "fingerprint.pb",
    "mmrec/README.md",
    "mmrec/items.parquet",
    "mmrec/serving/batching.config",
    "mmrec/serving/models.config",
    "saved_model.pb",
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
}

# Runs in a process of its own; every step below ends in a forked child.
KILLED = """
import os, signal, sys
import mmrec
from mmrec.export import saved_model
from tests.export.small import small_version
from pathlib import Path

folder = Path(sys.argv[1])

def child(prepare):
    process = os.fork()
    if process == 0:
        try:
            prepare()
            saved_model.write_version(folder, *small_version())
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return process

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def versions():
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")

def patched(module, name):
    return lambda: setattr(module, name, die)

for module, name in (
    (saved_model, "write_warm_up"), (saved_model, "_compare"), (saved_model, "checksums"), (saved_model.json, "dumps"),
):
    status = os.waitpid(child(patched(module, name)), 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (name, status)
    assert versions() == [".writing"], versions()

both = [child(lambda: None), child(lambda: None)]
assert [os.waitpid(process, 0)[1] for process in both] == [0, 0]
assert versions() == ["1", "2"], versions()
assert os.waitpid(child(lambda: None), 0)[1] == 0
assert versions() == ["1", "2", "3"], versions()
"""


def checked(folder):
    """Asserts that a version is whole; returns its manifest."""
    manifest = json.loads((folder / "mmrec/manifest.json").read_text())
    requests = {f"mmrec/requests/{name}.{kind}" for name in manifest["signatures"] for kind in ("json", "pbtxt")}
    assert set(manifest["sha256"]) == FILES | requests
    assert saved_model.checksums(folder) == manifest["sha256"]
    return manifest


def test_a_version_holds_the_files_of_the_contract_and_their_checksums(tiny_export):
    folder = tiny_export.result.export_dir
    manifest = checked(folder)
    assert manifest["format_version"] == 1
    assert manifest["versions"]["mmrec"] == mmrec.__version__
    assert {"tensorflow", "tensorflow-text", "tf_keras"} < set(manifest["versions"])
    # Regression: inputs of functions with positional parameters were not listed.
    assert manifest["signatures"]["recommend"] == ["exclude", "filter", "history", "include", "k"]
    assert manifest["signatures"]["embed_item"] == ["description", "image_bytes", "item_id", "title"]
    assert mmrec.Config.load(manifest["config"]).name == "sample_shop"
    assert manifest["metrics"]["test"] == tiny_export.result.metrics["test"]


def test_the_items_table_has_a_row_per_item_with_its_payload_and_digest(tiny_export):
    items = pd.read_parquet(tiny_export.result.export_dir / "mmrec/items.parquet")
    assert items.columns.tolist() == ["item_id", "title", "category", "digest"]
    assert items["item_id"].tolist() == tiny_export.ids[1:]
    assert items["digest"].str.fullmatch("[0-9a-f]{64}").all()
    assert items["digest"].is_unique


def test_there_is_one_warm_up_request_per_signature_that_the_signature_answers(tiny_export):
    from tensorflow_serving.apis import prediction_log_pb2

    path = tiny_export.result.export_dir / "assets.extra/tf_serving_warmup_requests"
    requests = {}
    for record in tf.data.TFRecordDataset(str(path)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        assert request.model_spec.signature_name not in requests
        requests[request.model_spec.signature_name] = {
            name: tf.make_ndarray(value) for name, value in request.inputs.items()
        }
    assert set(requests) == set(tiny_export.signatures)
    for name, inputs in requests.items():
        # Regression: requests without inputs, with which a server refuses to load.
        assert set(inputs) == set(tiny_export.signatures[name].structured_input_signature[1])
        tiny_export.ask(name, **inputs)
    assert (requests["serving_default"]["history"] != b"").all()
    assert requests["similar"]["item_id"][0].decode() in tiny_export.ids[1:]


def test_versions_grow_past_any_that_are_there(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "latest").mkdir()
    assert saved_model.write_version(tmp_path, *small_version()) == tmp_path / "8"
    checked(tmp_path / "8")
    assert not (tmp_path / ".writing").exists()


def test_a_run_exports_once(tmp_path):
    # Regression: a run killed between its export and its metrics exported again when it continued.
    *others, manifest, samples = small_version()
    first = saved_model.write_version(tmp_path, *others, manifest | {"run": "a"}, samples)
    (tmp_path / "5").mkdir()  # not one of our exports
    before = saved_model.checksums(first)
    assert saved_model.write_version(tmp_path, *others, manifest | {"run": "a"}, samples) == first
    assert saved_model.checksums(first) == before
    assert saved_model.write_version(tmp_path, *others, manifest | {"run": "b"}, samples).name == "6"
    assert saved_model.write_version(tmp_path, *others, manifest, samples).name == "7"


def test_a_version_that_embeds_items_differently_is_not_published(tmp_path):
    parts, *others = small_version()
    with pytest.raises(RuntimeError, match=r"item embeddings differ from the model's by 0\.001"):
        saved_model.write_version(tmp_path, replace(parts, table=ItemTable.of(parts.table.scored + 1e-3)), *others)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_version_that_embeds_queries_differently_is_not_published(tmp_path):
    *others, samples = small_version()
    with pytest.raises(RuntimeError, match="query embeddings differ from the model's by nan"):
        saved_model.write_version(tmp_path, *others, replace(samples, queries=samples.queries * np.nan))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_version_that_answers_with_foreign_ids_is_not_published(tmp_path, monkeypatch):
    class Renaming(saved_model.ServingModule):
        def __init__(self, parts):
            super().__init__(replace(parts, ids=np.where(parts.ids == "e", "foreign", parts.ids)))

    monkeypatch.setattr(saved_model, "ServingModule", Renaming)
    parts, *others = small_version()
    with pytest.raises(RuntimeError, match=r"ids that the catalog lacks: .*foreign"):
        saved_model.write_version(tmp_path, replace(parts, default_k=5), *others)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(mmrec.InputError, match=r"file/model: cannot be written .*`saved_models_dir`"):
        saved_model.write_version(tmp_path / "file" / "model", *small_version())


@pytest.mark.slow
def test_a_killed_export_leaves_no_version_and_concurrent_ones_take_their_own(tmp_path, python):
    root = str(Path(__file__).parents[2])
    code, _, errors = python(f"import sys; sys.path.insert(0, {root!r}); sys.argv[1:] = [{str(tmp_path)!r}]\n{KILLED}")
    assert code == 0, errors[-3000:]
    for version in "123":
        checked(tmp_path / version)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "1", "2", "3"]
