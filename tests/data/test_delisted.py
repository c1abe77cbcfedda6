"""Items that a catalog no longer has."""

import numpy as np

from mmrec.data.delisted import with_delisted
from tests.catalogs import catalog_of


def catalog():
    return catalog_of(
        ["b", "d"],
        source_rows=[1, 0],
        text={"title": np.array(["B", "D"], object)},
        image=["b.png", None],
        audio=[None, b"d"],
        attributes={"kind": np.array(["mug", ""], object), "price": np.array([5.0, 6.0], np.float32)},
        features=np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
    )


def test_delisted_items_join_the_others_without_any_content():
    longer = with_delisted(catalog(), ["d", "c", "a"])
    assert longer.item_ids.tolist() == ["a", "b", "c", "d"]
    assert longer.content["text"].columns["title"].tolist() == ["", "B", "", "D"]
    assert longer.content["attributes"].columns["kind"].tolist() == ["", "mug", "", ""]
    np.testing.assert_array_equal(
        longer.content["attributes"].columns["price"], np.array([np.nan, 5, np.nan, 6], np.float32)
    )
    np.testing.assert_array_equal(longer.content["features"].values[[1, 3]], [[1, 2], [3, 4]])
    assert longer.missing["image"].tolist() == [True, False, True, True]
    assert longer.missing["audio"].tolist() == [True, True, True, False]
    assert longer.missing["features"].tolist() == [True, False, True, False]
    assert longer.missing["text"].tolist() == [True, False, True, False]


def test_a_catalog_that_has_all_delisted_items_stays_as_it_is():
    whole = catalog()
    assert with_delisted(whole, ["d"]) is whole
    assert with_delisted(whole, []) is whole
