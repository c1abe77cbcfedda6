"""The raw fields of items, and the digests of their content."""

import hashlib

import numpy as np

from mmrec import schema
from mmrec.config.data import CatalogConfig
from mmrec.data.feature_store import FeatureStore
from mmrec.data.raw_items import RawItems
from mmrec.modalities.image.photos import Photos
from tests.catalogs import catalog_of

FIELDS = (
    schema.Field("image", "image", "image_bytes", schema.BYTES_KIND),
    schema.Field("title", "text", "text", schema.TEXT_KIND),
    schema.Field("item_id", "item_id", "item_id", schema.ID_KIND),
)


def sha(*parts):
    """SHA-256 of parts, each behind its length in eight bytes, the lowest first."""
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "little") + part for part in parts)).digest()


def shop(*files):
    return catalog_of(["a", "b"], image=files, text={"title": np.array(["mug", ""], object)})


def test_an_item_has_a_raw_value_for_each_field():
    raw = RawItems(shop(b"photo", None), FIELDS)
    assert raw.item(0) == {"image_bytes": b"photo", "text": "mug", "item_id": "a"}
    assert raw.item(1) == {"image_bytes": b"", "text": "", "item_id": "b"}
    columns = raw.columns([raw.item(0), raw.item(1)])
    assert {name: (values.dtype, values.tolist()) for name, values in columns.items()} == {
        "image_bytes": (object, [b"photo", b""]),
        "text": (object, ["mug", ""]),
        "item_id": (object, ["a", "b"]),
    }


def test_the_digest_is_made_of_the_digests_of_the_fields():
    raw = RawItems(shop((b"one", b"two"), None), FIELDS)
    # The export reads the first of two photos.
    assert raw.digest(0) == sha(sha(sha(b"one")), sha(b"mug"), sha(b"a")).hex()
    assert raw.digest(1) == sha(sha(), sha(b""), sha(b"b")).hex()


def test_the_digest_of_earlier_exports_is_made_of_what_the_graph_reads():
    raw = RawItems(shop(b"photo", None), FIELDS, by_file=False)
    assert raw.digest(0) == sha(b"photo", b"mug", b"a").hex()


def test_a_photo_is_read_and_hashed_once_for_its_features_and_for_its_item(tmp_path, photo):
    file = tmp_path / "red.png"
    file.write_bytes(photo("red"))
    catalog = shop(str(file), None)
    places = Photos(catalog.content["image"], catalog, CatalogConfig(path="shop.csv"), 4).fill(
        FeatureStore(tmp_path / "store", (3,)), lambda pixels, digests: pixels.mean(axis=(1, 2)), lambda *_: None
    )
    assert places[:, 0].tolist() == [-1, 0, -1]
    file.unlink()
    assert RawItems(catalog, FIELDS).digest(0) == sha(sha(sha(photo("red"))), sha(b"mug"), sha(b"a")).hex()


def test_items_that_are_taken_out_have_the_digests_of_their_own_files():
    catalog = shop(b"one", b"two")
    first = [RawItems(catalog, FIELDS).digest(item) for item in range(2)]
    swapped = RawItems(catalog.take(np.array([1, 0])), FIELDS)
    assert [swapped.digest(item) for item in range(2)] == first[::-1]
