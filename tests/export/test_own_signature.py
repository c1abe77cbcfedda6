"""A user's own signature: one file, from the catalog to the answer of the reloaded export."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

import mmrec
from mmrec.errors import InputError
from mmrec.export.saved_model import write_version
from mmrec.export.signatures.names import find_signatures
from mmrec.export.signatures.recommend import Recommend
from mmrec.export.signatures.signature import Signature
from tests.export.small import small_version
from tests.jobs.worlds import write_groups

PATH = "tests.toys.cheapest:Cheapest"
ASKED = {"history": [["red-0"], ["blue-0"]], "k": [3, 3], "limit": [3.5, 12.5]}


class Unnamed(Signature):
    """Forgets its name."""


class Hidden(Signature):
    """Has a name that TensorFlow keeps for itself."""

    name = "__saved_model_init_op"


class Taken(Recommend):
    """Keeps the name of another signature."""


class Forgetful(Recommend):
    """Has an example that lacks an input."""

    name = "forgetful"

    def example(self, sample):
        return {"history": sample.history}


class Unanswered(Recommend):
    """Has an example that it cannot answer."""

    name = "unanswered"

    def example(self, sample):
        return super().example(sample) | {"k": np.array([1, 2], np.int32)}

    def __call__(self, **inputs):
        tf.debugging.assert_equal(tf.size(inputs["k"]), tf.shape(inputs["history"])[0])
        return super().__call__(**inputs)


def catalog(folder, **prices):
    """Writes the items of `write_groups` with prices: red-0 to red-11 cost 0 to 11, blue-0 to blue-11 12 to 23."""
    table = pd.read_csv(folder / "items.csv", dtype=str)[["item_id", "title"]].assign(price=[*map(str, range(24))])
    for item, price in prices.items():
        table.loc[table["item_id"] == item.replace("_", "-"), "price"] = price
    table.to_csv(folder / "items.csv", index=False)
    return folder / "items.csv"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(folder, export)"""
    folder = tmp_path_factory.mktemp("cheapest")
    config = write_groups(folder, epochs=1)
    config["data"]["catalog"] |= {"path": str(catalog(folder)), "filters": ["price"]}
    return folder, mmrec.train(config, **{"export.signatures": [PATH]}).export_dir


def answers(outputs):
    return [{item.decode() for item in row} - {""} for row in outputs["item_ids"].numpy()]


def test_the_reloaded_export_answers(trained):
    loaded = tf.saved_model.load(str(trained[1]))
    outputs = loaded.signatures["cheapest"](
        history=tf.constant(ASKED["history"]), k=tf.constant(ASKED["k"]), limit=tf.constant(ASKED["limit"])
    )
    reds, any_three = answers(outputs)
    assert reds == {"red-1", "red-2", "red-3"}  # red-0 is the history
    assert len(any_three) == 3
    assert any_three < {f"red-{number}" for number in range(12)}  # blue-0 is the history, and blue-1 costs 13


def test_the_recommender_calls_it_and_ranks_as_recommend_does(trained):
    shop = mmrec.load(trained[1])
    assert "cheapest" in shop.signatures
    outputs = shop.call("cheapest", ASKED)
    reds = [["red-1", "red-2", "red-3"]]
    expected = shop.recommend([["red-0"]], k=3, include=reds)
    assert [item.decode() for item in outputs["item_ids"].numpy()[0]] == expected.item_ids[0].tolist()
    np.testing.assert_allclose(outputs["scores"].numpy()[0], expected.scores[0], atol=1e-6)


def test_wrong_calls_are_explained(trained):
    shop = mmrec.load(trained[1])
    with pytest.raises(InputError, match=r"no signature `cheepest`\..*cheapest.* It has: cheapest, embed"):
        shop.call("cheepest", ASKED)
    with pytest.raises(InputError, match=r"`inputs` of `cheapest` must be history, k, limit\. Received: history\."):
        shop.call("cheapest", {"history": [["a"]]})
    wrong = {
        "k": (["x"], "int32 of the shape [any]"),
        "history": ([["a"], ["a", "b"]], "string of the shape [any, any]"),
    }
    for name, (value, rule) in wrong.items():
        with pytest.raises(InputError, match=re.escape(f"`inputs` of `cheapest`: `{name}` must be {rule}. Received: ")):
            shop.call("cheapest", {**ASKED, name: value})
    with pytest.raises(InputError, match=r"`limit` must be float32 of the shape \[any\]\. Received: 9\.99\."):
        shop.call("cheapest", {**ASKED, "limit": 9.99})


def test_warm_up_requests_manifest_and_model_card_have_it(trained):
    path = trained[1]
    records = tf.data.TFRecordDataset(str(path / "assets.extra/tf_serving_warmup_requests"))
    logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]
    (request,) = [log for log in logs if log.model_spec.signature_name == "cheapest"]
    assert {name: tf.make_ndarray(one).tolist() for name, one in request.inputs.items() if name != "history"} == {
        "k": [10],
        "limit": [20.0],
    }
    instances = json.loads((path / "mmrec/requests/cheapest.json").read_text())["instances"]
    assert instances[0]["limit"] == 20.0
    manifest = json.loads((path / "mmrec/manifest.json").read_text())
    assert manifest["inputs"]["cheapest"]["limit"] == {"dtype": "float32", "shape": [None]}
    card = (path / "mmrec/README.md").read_text()
    assert "| `cheapest` | `history` string [?, ?], `k` int32 [?], `limit` float32 [?] |" in card
    assert '`shop.call("cheapest", {"history"' in card


def test_a_refresh_keeps_it_and_its_prices_follow_the_catalog(trained):
    folder, path = trained
    version = mmrec.refresh(path, catalog(folder, red_1="50", red_7="1")).export_dir
    assert version.name == "2"
    outputs = mmrec.load(version).call("cheapest", ASKED)
    assert answers(outputs)[0] == {"red-2", "red-3", "red-7"}


def test_a_refresh_where_its_class_cannot_be_imported_is_refused(trained, tmp_path):
    copy = Path(shutil.copytree(trained[1], tmp_path / "groups" / "1"))
    path = copy / "mmrec/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["export"]["signatures"] = ["elsewhere.cheapest:Cheapest"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"signature 'elsewhere\.cheapest:Cheapest' cannot be imported"):
        mmrec.refresh(copy, trained[0] / "items.csv")
    assert [one.name for one in copy.parent.iterdir()] == ["1"]


def test_an_export_without_what_it_needs_leaves_it_out(tmp_path):
    path = write_version(tmp_path, *small_version(signatures=[PATH]))
    manifest = json.loads((path / "mmrec/manifest.json").read_text())
    assert "cheapest" not in manifest["inputs"]
    assert not (path / "mmrec/requests/cheapest.json").exists()


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["tests.toys.cheapest:Nothing"], r"the signature 'tests\.toys\.cheapest:Nothing' cannot be imported"),
        (["cheapest"], r"no signature is called 'cheapest'"),
        (["tests.export.test_own_signature:catalog"], r"must name classes that derive from .*Received: tests"),
        (["builtins:dict"], r"must name classes that derive from"),
        (["tests.export.test_own_signature:Unnamed"], r"the `name` of .*:Unnamed must be letters.*Received: ''"),
        (["tests.export.test_own_signature:Hidden"], r"the `name` of .*Received: '__saved_model_init_op'"),
        (["tests.export.test_own_signature:Taken"], r"Received: 'recommend', which every export has\. Give the class"),
        (["recommend"], r"Received: 'recommend', which every export has"),
        ([PATH, PATH], r"Received: 'cheapest', which another of them has"),
    ],
)
def test_classes_that_cannot_be_signatures_are_refused(paths, message):
    with pytest.raises(InputError, match=message):
        find_signatures(paths)


def test_they_are_refused_before_a_training_starts(tmp_path):
    with pytest.raises(InputError, match="cannot be imported"):
        mmrec.train(write_groups(tmp_path), **{"export.signatures": ["no.such:Thing"]})
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("Forgetful", InputError, r"`forgetful`: the example must have the inputs exclude, history, include, k\. Rec"),
        ("Unanswered", RuntimeError, r"export's `unanswered` does not answer its example"),
    ],
)
def test_a_version_whose_examples_are_not_answered_is_not_published(name, error, message, tmp_path):
    with pytest.raises(error, match=message):
        write_version(tmp_path, *small_version(signatures=[f"tests.export.test_own_signature:{name}"]))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
