"""A model of attributes, from training to the answers of its export."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mmrec
from mmrec.errors import InputError
from tests.jobs.worlds import write_groups

NAN = np.nan


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Items known by maker and price only; the first has neither. Returns (table, train result, recommender)."""
    folder = tmp_path_factory.mktemp("attributes")
    config = write_groups(folder, users=60, epochs=1)
    table = pd.read_csv(folder / "items.csv")
    red = table["item_id"].str.startswith("red")
    table["maker"] = np.where(red, "Acme", "Best & Co")
    table["price"] = np.where(red, 5.0, 50.0) + np.arange(len(table))
    table.loc[0, ["maker", "price"]] = None
    table.to_parquet(folder / "items.parquet")
    config["data"]["catalog"] |= {
        "path": str(folder / "items.parquet"),
        "attributes": {"maker": "category", "price": "price"},
    }
    config["item"]["modalities"] = ["attributes"]
    result = mmrec.train(config)
    return table, result, mmrec.load(result.export_dir)


def test_the_inputs_are_called_and_typed_as_the_columns(shop):
    spec = tf.saved_model.load(str(shop[2].path)).signatures["embed_item"].structured_input_signature[1]
    assert {name: (one.shape.as_list(), one.dtype) for name, one in spec.items()} == {
        "maker": ([None], tf.string),
        "price": ([None], tf.float32),
    }


def test_the_export_embeds_the_catalog_as_training_did(shop):
    table, _, loaded = shop
    np.testing.assert_allclose(loaded.embed_items(table.sort_values("item_id")), loaded.item_table[1:], atol=1e-4)


def test_an_attribute_alone_is_enough_and_none_is_status_4(shop):
    call = tf.saved_model.load(str(shop[2].path)).signatures["embed_item"]
    outputs = call(maker=tf.constant(["", "Acme", "", "unheard of"]), price=tf.constant([7.0, NAN, NAN, -1.0]))
    assert outputs["status"].numpy().tolist() == [0, 0, 4, 0]
    assert np.isfinite(outputs["embedding"]).all()
    np.testing.assert_allclose(np.linalg.norm(outputs["embedding"], axis=1), 1.0, atol=1e-5)


def test_attributes_tell_the_groups_apart(shop):
    table, _, loaded = shop
    asked = pd.DataFrame({"maker": ["Acme", "Best & Co"], "price": [10.0, 60.0]})
    red, blue = loaded.embed_items(asked)
    likes = loaded.item_table[1:] @ (red - blue)
    is_red = loaded.items["item_id"].str.startswith("red").to_numpy()
    in_table = loaded.items["item_id"].isin(table["item_id"][1:]).to_numpy()
    assert likes[is_red & in_table].min() > likes[~is_red].max()


def test_a_slice_and_the_check_name_items_without_attributes(shop):
    table, result, _ = shop
    assert "missing_attributes" in result.metrics["slices"]
    facts = mmrec.Config.load(result.run_dir / "config.yaml")
    from mmrec.checking.check import check

    assert check(facts, probe=False).facts["coverage"]["attribute maker"] == pytest.approx(1 - 1 / len(table))


def test_a_price_in_a_table_must_be_a_number(shop):
    with pytest.raises(InputError, match=r"`table`, row 1, column `price`: must be a finite number. Received: 'dear'"):
        shop[2].embed_items(pd.DataFrame({"price": ["dear"]}))
