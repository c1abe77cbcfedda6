import json

import numpy as np
import pytest

from mmrec.config.data import CatalogConfig
from mmrec.errors import InputError
from tests.catalogs import load_catalog

KINDS = {"colour": "category", "weight": "number", "price": "price"}


def load(path, **settings):
    return load_catalog(CatalogConfig(path=str(path), attributes=KINDS, payload=(), **settings), ("attributes",))


@pytest.fixture
def table(tmp_path):
    """Writes items a, b and c with the given cells of one column; the others are fine."""

    def write(**cells):
        columns = {"colour": ["red", "", "blue"], "weight": ["1.5", "", "-2"], "price": ["9.99", "", "0"], **cells}
        path = tmp_path / "items.csv"
        rows = [",".join(row) for row in zip("abc", *columns.values(), strict=True)]
        path.write_text("\n".join(["item_id,colour,weight,price", *rows]) + "\n")
        return path

    return write


def test_attributes_are_read_and_empty_cells_are_none(table):
    loaded = load(table())
    columns = loaded.content["attributes"].columns
    assert columns["colour"].tolist() == ["red", "", "blue"]
    np.testing.assert_array_equal(columns["weight"], np.array([1.5, np.nan, -2], np.float32))
    np.testing.assert_array_equal(columns["price"], np.array([9.99, np.nan, 0], np.float32))
    assert loaded.missing["attributes"].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("price", "-0.01", "a finite number of at least 0"),
        ("price", "NaN", "a finite number of at least 0"),
        ("price", "inf", "a finite number of at least 0"),
        ("price", "9,99 EUR", "a finite number of at least 0"),
        ("weight", "heavy", "a finite number"),
        ("weight", "nan", "a finite number"),
        ("weight", "1e99", "a finite number"),
    ],
)
def test_a_number_that_breaks_its_rule_is_refused_or_masked_and_counted(table, column, value, rule):
    cell = f'"{value}"'
    path = table(**{column: ["1", "2", cell]})
    with pytest.raises(InputError) as error:
        load(path)
    assert str(error.value) == (
        f"{path}, row 3, column `{column}`: must be {rule}, or empty. Received: {value!r}. Correct it, or set "
        "`data.catalog.on_bad_attribute: mask` to train the item without it."
    )
    loaded = load(path, on_bad_attribute="mask")
    assert np.isnan(loaded.content["attributes"].columns[column]).tolist() == [False, False, True]
    assert loaded.counts == {"attribute_masked": 1}


def test_the_first_bad_row_of_the_file_is_named_and_the_others_are_counted(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id,colour,weight,price\nz,,,-1\na,,,-2\nm,,,3\n")
    with pytest.raises(InputError, match=r"items.csv, row 1 \(and 1 more\), column `price`.*'-1'"):
        load(path)


def test_typed_tables_may_hold_numbers_and_nulls(tmp_path):
    path = tmp_path / "items.jsonl"
    rows = [
        {"item_id": "a", "colour": 7, "weight": 2, "price": None},
        {"item_id": "b", "colour": None, "weight": 0.5, "price": 3},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    loaded = load(path)
    assert loaded.content["attributes"].columns["colour"].tolist() == ["7", ""]
    np.testing.assert_array_equal(loaded.content["attributes"].columns["price"], np.array([np.nan, 3], np.float32))
    path.write_text(json.dumps(rows[0] | {"weight": True}))
    with pytest.raises(InputError, match=r"row 1, column `weight`: must be a finite number, or empty. Received: True"):
        load(path)


def test_the_modality_needs_a_column(table):
    with pytest.raises(InputError, match=r"`data.catalog.attributes`: must name a column"):
        load_catalog(CatalogConfig(path=str(table()), payload=()), ("attributes",))
