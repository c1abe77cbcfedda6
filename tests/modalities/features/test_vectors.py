"""The catalog's column of ready-made vectors, whatever kind of file it is in."""

import json

import numpy as np
import pandas as pd
import pytest

from mmrec.config.data import CatalogConfig
from mmrec.errors import InputError
from tests.catalogs import load_catalog

ROWS = [("c", [1.0, 2.0]), ("a", None), ("b", [5.0, -6.0])]


def write(folder, kind, rows=ROWS):
    path = folder / f"items.{kind}"
    if kind == "parquet":
        pd.DataFrame(rows, columns=["item_id", "vector"]).to_parquet(path)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps({"item_id": item, "vector": vector}) for item, vector in rows))
    else:
        table = [(item, "" if vector is None else vector) for item, vector in rows]
        pd.DataFrame(table, columns=["item_id", "vector"]).to_csv(path, index=False)
    return str(path)


def load(path, modalities=("features",), **options):
    options = {"payload": (), "features": "vector"} | options
    return load_catalog(CatalogConfig(path=path, **options), modalities)


def refusal(path, **options):
    with pytest.raises(InputError) as error:
        load(path, **options)
    return str(error.value)


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_vectors_stand_in_the_order_of_the_items_with_nan_where_there_is_none(tmp_path, kind):
    catalog = load(write(tmp_path, kind))
    assert catalog.item_ids.tolist() == ["a", "b", "c"]
    assert catalog.content["features"].values.dtype == np.float32
    np.testing.assert_array_equal(catalog.content["features"].values, [[np.nan, np.nan], [5, -6], [1, 2]])


def test_the_column_is_read_for_its_modality_only(tmp_path):
    path = write(tmp_path, "parquet")
    assert load(path, ("item_id",), features="no such").content == {}
    assert "`data.catalog.features`: must name a column when `item.modalities` has `features`. Received: null." in (
        refusal(path, features=None)
    )
    assert "no column `vectr`. Did you mean `vector`?" in refusal(path, features="vectr")


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ([1.0], "must have 2 numbers, as row 1 has. Received: 1."),
        ([1.0, 2.0, 3.0], "must have 2 numbers, as row 1 has. Received: 3."),
        ([1.0, float("nan")], "must hold finite float32 numbers. Received: nan at position 2."),
        ([float("inf"), 1.0], "must hold finite float32 numbers. Received: inf at position 1."),
    ],
)
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_the_first_bad_vector_of_the_file_is_named(tmp_path, kind, vector, said):
    path = write(tmp_path, kind, [("c", [1.0, 2.0]), ("b", None), ("z", vector), ("a", vector)])
    remedy = "Correct it, or leave it empty: the item then counts as without features."
    assert refusal(path) == f"{path}, row 3 (and 1 more), column `vector`: {said} {remedy}"


def test_a_column_of_something_else_is_refused(tmp_path):
    path = write(tmp_path, "csv", [("a", "red"), ("b", "blue")])
    assert f"{path}, row 1 (and 1 more), column `vector`: must be a list of numbers. Received: 'red'." in refusal(path)


def test_a_column_without_any_vector_is_refused(tmp_path):
    path = write(tmp_path, "jsonl", [("a", None), ("b", [])])
    assert refusal(path) == (
        f"{path}, column `vector`: no item has features. Correct `data.catalog.features`, or leave `features` out of "
        "`item.modalities`."
    )


def test_skipped_rows_move_no_vector(tmp_path):
    path = write(tmp_path, "jsonl", [("", [9.0, 9.0]), ("b", [1.0, 2.0]), ("a", [3.0, 4.0]), ("b", [7.0])])
    assert load(path, on_bad_row="skip").content["features"].values.tolist() == [[3, 4], [1, 2]]
