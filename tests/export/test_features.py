"""A model that reads ready-made vectors, from the training to the answers of its export."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mmrec
from mmrec.data.raw_items import item_digest
from mmrec.errors import InputError
from tests.jobs.worlds import write_groups

WIDTH = 4


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Items whose vectors tell their group; the first has none. Returns (table, train result, recommender)."""
    folder = tmp_path_factory.mktemp("vectors")
    config = write_groups(folder, users=60, epochs=1)
    table = pd.read_csv(folder / "items.csv")
    noise = np.random.default_rng(0).normal(0, 0.1, (len(table), WIDTH)).astype(np.float32)
    noise[:, 0] += np.where(table["item_id"].str.startswith("red"), 1, -1)
    table["vector"] = [None, *noise[1:]]
    table.to_parquet(folder / "items.parquet")
    config["data"]["catalog"] |= {"path": str(folder / "items.parquet"), "features": "vector"}
    config["item"]["modalities"] = ["features", "item_id"]
    result = mmrec.train(config)
    return table, result, mmrec.load(result.export_dir)


def ask(shop, features, ids):
    call = tf.saved_model.load(str(shop.path)).signatures["embed_item"]
    outputs = call(features=tf.constant(features, tf.float32), item_id=tf.constant(ids))
    return outputs["embedding"].numpy(), outputs["status"].numpy().tolist()


def test_the_export_embeds_the_catalog_as_training_did(shop):
    table, _, loaded = shop
    in_order = table.sort_values("item_id")
    assert loaded.items["item_id"].tolist() == in_order["item_id"].tolist()
    np.testing.assert_allclose(loaded.embed_items(in_order), loaded.item_table[1:], atol=1e-4)
    one = loaded.embed_items(in_order[3:4].rename(columns={"vector": "features"}))  # the name of the signature's input
    np.testing.assert_allclose(one, loaded.item_table[4:5], atol=1e-4)


def test_the_input_is_a_batch_of_vectors(shop):
    spec = tf.saved_model.load(str(shop[2].path)).signatures["embed_item"].structured_input_signature[1]
    assert {name: (one.shape.as_list(), one.dtype) for name, one in spec.items()} == {
        "features": ([None, WIDTH], tf.float32),
        "item_id": ([None], tf.string),
    }


def test_a_row_of_nan_is_missing_and_one_without_anything_has_status_4(shop):
    nan, some = [np.nan] * WIDTH, [1.0, 0, 0, 0]
    vectors, status = ask(shop[2], [some, nan, nan, some], ["", "red-3", "", "red-3"])
    assert status == [0, 0, 4, 0]
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[1] - vectors[3]).max() > 1e-3


def test_a_bad_number_makes_its_own_row_missing_and_no_other(shop):
    some, nan = [1.0, 0, 0, 0], [np.nan] * WIDTH
    vectors, status = ask(shop[2], [some, [1.0, np.inf, 0, 0], [np.nan, 0, 0, 0], nan], ["", "", "", ""])
    assert status == [0, 4, 4, 4]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[1:3], vectors[[3, 3]], atol=1e-6)
    np.testing.assert_allclose(vectors[:1], ask(shop[2], [some], [""])[0], atol=1e-5)


def test_new_items_are_near_those_of_their_group(shop):
    _, _, loaded = shop
    new = loaded.embed_items(pd.DataFrame({"vector": ["[1, 0, 0, 0]", [-1.0, 0, 0, 0]]}))  # texts will do
    nearest = (new @ loaded.item_table[1:].T).argsort(axis=1)[:, ::-1]
    actual = [[loaded.items["item_id"][item][:3] for item in row[:6]] for row in nearest]
    assert actual == [["red"] * 6, ["blu"] * 6]


def test_vectors_of_another_width_are_refused(shop):
    with pytest.raises(InputError) as error:
        shop[2].embed_items(pd.DataFrame({"vector": [[1.0] * 4, None, [1.0] * 3]}))
    assert str(error.value) == (
        "`table`, row 3, column `vector`: must have 4 numbers, as the model was trained with. Received: 3. Correct it, "
        "or leave it empty: it then counts as missing."
    )


def test_a_table_without_vectors_is_embedded_by_what_it_has(shop):
    _, _, loaded = shop
    table = pd.DataFrame({"item_id": ["red-3"]})
    np.testing.assert_allclose(loaded.embed_items(table), loaded.embed_items(table.assign(vector=[None])), atol=1e-6)


def test_items_without_vectors_are_judged_on_their_own(shop):
    _, result, _ = shop
    assert "missing_features" in result.metrics["slices"]


def test_the_digest_of_an_item_is_of_its_vector_too():
    vector = np.array([1, 2], np.float32)
    first = item_digest({"item_id": "a", "features": vector})
    assert first == item_digest({"item_id": "a", "features": vector.copy()})
    assert first != item_digest({"item_id": "a", "features": vector + 1})
    assert first != item_digest({"item_id": "a", "features": np.full(2, np.nan, np.float32)})


def test_the_ready_requests_ask_with_vectors(shop):
    from tensorflow_serving.apis import prediction_log_pb2

    records = tf.data.TFRecordDataset(str(shop[2].path / "assets.extra/tf_serving_warmup_requests"))
    requests = [prediction_log_pb2.PredictionLog.FromString(one.numpy()).predict_log.request for one in records]
    asked = next(one for one in requests if one.model_spec.signature_name == "embed_item")
    assert tf.make_ndarray(asked.inputs["features"]).shape == (1, WIDTH)
    body = json.loads((shop[2].path / "mmrec/requests/embed_item.json").read_text())
    assert len(body["instances"][0]["features"]) == WIDTH
