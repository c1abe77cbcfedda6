"""Items that a catalog no longer holds."""

import numpy as np
import pandas as pd

from mmrec.data.catalog import Catalog
from mmrec.data.delisted import with_delisted


def catalog():
    return Catalog(
        item_ids=np.array(["b", "d"], object),
        text={"title": np.array(["B", "D"], object)},
        photos=np.array(["b.png", None], object),
        payload=pd.DataFrame({"item_id": ["b", "d"]}),
        source_rows=np.array([1, 0]),
        counts={},
        features=np.array([[1.0, 2.0], [3.0, 4.0]], np.float32),
        attributes={"kind": np.array(["mug", ""], object), "price": np.array([5.0, 6.0], np.float32)},
        sounds=np.array([None, b"d"], object),
    )


def test_they_stand_among_the_others_and_nothing_is_known_of_them():
    longer = with_delisted(catalog(), ["d", "c", "a"])
    assert longer.item_ids.tolist() == ["a", "b", "c", "d"]
    assert longer.text["title"].tolist() == ["", "B", "", "D"]
    assert longer.attributes["kind"].tolist() == ["", "mug", "", ""]
    np.testing.assert_array_equal(longer.attributes["price"], np.array([np.nan, 5, np.nan, 6], np.float32))
    np.testing.assert_array_equal(longer.features[[1, 3]], [[1, 2], [3, 4]])
    assert longer.missing["image"].tolist() == [True, False, True, True]
    assert longer.missing["audio"].tolist() == [True, True, True, False]
    assert longer.missing["features"].tolist() == [True, False, True, False]
    assert longer.missing["text"].tolist() == [True, False, True, False]


def test_a_catalog_that_has_them_all_is_left_as_it_is():
    whole = catalog()
    assert with_delisted(whole, ["d"]) is whole
    assert with_delisted(whole, []) is whole
