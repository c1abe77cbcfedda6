"""Columns of a new catalog with other names than in training."""

import numpy as np
import pandas as pd
import pytest

import mmrec
from mmrec.config import Config
from mmrec.config.data import CatalogConfig
from mmrec.data.catalog import Catalog
from mmrec.modalities.fields import item_fields
from mmrec.refreshing.columns import match_columns

MODALITIES = ("text", "image", "attributes", "item_id")
TRAINED = {
    "item_id": "id",
    "text": ["title", "body"],
    "image": "photo",
    "audio": None,
    "features": None,
    "attributes": {"brand": "category", "price": "price"},
    "payload": ["title", "shelf"],
    "filters": ["brand", "shelf"],
}


def match(**changes):
    """Matches the columns of training, some of them changed."""
    keys = [f"data.catalog.{name}" for name in changes]
    return match_columns(CatalogConfig(**{**TRAINED, **changes}), TRAINED, MODALITIES, keys)


def test_columns_of_the_same_names_are_as_they_were():
    columns = match()
    assert columns.renamed == {}
    assert columns.names == TRAINED


def test_others_stand_for_each_other_in_their_order():
    columns = match(
        item_id="sku", text=["name", "blurb"], image="picture", attributes={"maker": "category", "cost": "price"}
    )
    assert columns.renamed == {
        "sku": "id", "name": "title", "blurb": "body", "picture": "photo", "maker": "brand", "cost": "price",
    }  # fmt: skip
    assert columns.names == TRAINED
    assert columns.catalog.payload == ("name", "shelf")  # they follow what the model reads
    assert columns.catalog.filters == ("maker", "shelf")


def test_a_column_that_keeps_its_name_keeps_its_place():
    columns = match(text=["body", "name"], attributes={"price": "price", "maker": "category"})
    assert columns.catalog.text == ("name", "body")
    assert [*columns.catalog.attributes] == ["maker", "price"]
    assert columns.renamed == {"name": "title", "maker": "brand"}


def test_payload_and_filters_of_the_same_number_are_the_same_ones_and_others_are_new():
    columns = match(payload=["title", "place"], filters=["brand", "place"])
    assert (columns.names["payload"], columns.renamed) == (["title", "shelf"], {"place": "shelf"})
    columns = match(filters=["maker", "shelf", "size"], attributes={"maker": "category", "price": "price"})
    assert columns.names["filters"] == ["brand", "shelf", "size"]


def test_payload_and_filters_are_named_as_in_the_export():
    columns = match(payload=["title", "place"], filters=["brand", "place"])
    catalog = Catalog(
        item_ids=np.array(["a"], object),
        content={},
        payload=pd.DataFrame({"item_id": ["a"], "title": ["A"], "place": ["top"], "brand": ["x"]}),
        source_rows=np.array([0]),
        filters={"brand": np.array(["x"], object), "place": np.array(["top"], object)},
    )
    named = columns.named(catalog)
    assert [*named.payload] == ["item_id", "title", "shelf", "brand"]
    assert {name: values.tolist() for name, values in named.filters.items()} == {"brand": ["x"], "shelf": ["top"]}


def test_signatures_keep_their_inputs_and_tables_may_have_either_name():
    columns = match(text=["name", "blurb"], attributes={"maker": "category", "cost": "price"})
    config = Config.load(**{"item.modalities": MODALITIES})
    data = config.data.model_copy(update={"catalog": columns.catalog})
    fields = item_fields(config.model_copy(update={"data": data}), columns.names)
    assert [field.input for field in fields] == ["title", "body", "image_bytes", "brand", "price", "item_id"]
    assert [field.column for field in fields] == ["name", "blurb", "photo", "maker", "cost", "id"]
    assert [fields[place].names for place in (0, 2, 4)] == [
        ["title", "name"], ["photo", "image", "image_bytes"], ["price", "cost"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text": ["name"]}, "`data.catalog.text`: the export reads `title`, `body`. Received: `name`. Name a column"),
        ({"image": None}, "`data.catalog.image`: the export reads `photo`. Received: no column."),
        (
            {"attributes": {"cost": "price", "maker": "category"}},
            "`data.catalog.attributes`: `cost` stands for `brand` of the export and must be a category.",
        ),
        ({"payload": ["title", "a"], "filters": ["brand", "b"]}, "`a` and `b` would be called `shelf` and `shelf`."),
    ],
    ids=["fewer", "none", "kind", "two names"],
)
def test_columns_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(mmrec.InputError) as error:
        match(**changes)
    assert said in str(error.value)
