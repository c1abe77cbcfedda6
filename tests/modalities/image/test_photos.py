import gc
import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmrec.config.data import CatalogConfig
from mmrec.data.feature_store import FeatureStore
from mmrec.data.standardise import standardisation
from mmrec.errors import InputError
from mmrec.modalities.image.photos import Photos
from tests.catalogs import catalog_of, load_catalog

SIZE = 4


class MeanColour:
    """Encodes a photo as its mean colour, and records its calls."""

    def __init__(self):
        self.batches = []

    def __call__(self, pixels, digests):
        assert pixels.dtype == np.uint8
        assert pixels.shape == (len(digests), SIZE, SIZE, 3)
        self.batches.append(len(digests))
        return pixels.mean(axis=(1, 2))


def shop_of(*photos):
    return catalog_of([f"i{item}" for item in range(len(photos))], source_rows=range(len(photos))[::-1], image=photos)


def fill(folder, catalog, encode=None, on_missing_image="error", batch=64, progress=lambda *_: None):
    """Returns the places of one photo per item, and the mean colour of each item with a photo."""
    config = CatalogConfig(path="shop.csv", on_missing_image=on_missing_image)
    store = FeatureStore(folder, (3,))
    places = Photos(catalog.content["image"], catalog, config, SIZE).fill(
        store, encode or MeanColour(), progress, batch
    )[:, 0]
    return places, {item: store.values[place].tolist() for item, place in enumerate(places) if place >= 0}


def test_each_item_row_finds_the_features_of_its_own_photo(tmp_path, photo):
    places, colours = fill(tmp_path, shop_of(photo("red"), None, photo("blue"), photo("lime")))
    assert len(places) == 5
    assert (places[0], places[2]) == (-1, -1)
    assert colours == {1: [255, 0, 0], 3: [0, 0, 255], 4: [0, 255, 0]}


def test_a_photo_that_several_items_share_is_encoded_once(tmp_path, photo):
    encode = MeanColour()
    (tmp_path / "copy.png").write_bytes(photo("red"))  # the content counts, not where it comes from
    shared = shop_of(photo("red"), photo("blue"), str(tmp_path / "copy.png"), photo("red"))
    places, colours = fill(tmp_path / "store", shared, encode)
    assert encode.batches == [2]
    assert places[1] == places[3] == places[4]
    assert colours[4] == [255, 0, 0]


def test_what_the_store_has_is_not_encoded_again(tmp_path, photo):
    first, second, third = MeanColour(), MeanColour(), MeanColour()
    fill(tmp_path, shop_of(photo("red"), photo("blue")), first)
    fill(tmp_path, shop_of(photo("blue"), photo("red")), second)
    _, colours = fill(tmp_path, shop_of(photo("lime"), photo("red")), third)
    assert (first.batches, second.batches, third.batches) == ([2], [], [1])
    assert colours == {1: [0, 255, 0], 2: [255, 0, 0]}


def test_photos_are_encoded_in_batches_and_progress_is_told(tmp_path, photo):
    encode, told = MeanColour(), []
    photos = [photo((number, 0, 0)) for number in range(5)]
    _, colours = fill(tmp_path, shop_of(*photos), encode, batch=2, progress=lambda *what: told.append(what))
    assert encode.batches == [2, 2, 1]
    assert told == [("photos", 2, 5), ("photos", 4, 5), ("photos", 5, 5)]
    assert {item: colour[0] for item, colour in colours.items()} == {1: 0, 2: 1, 3: 2, 4: 3, 5: 4}


@pytest.mark.parametrize("bad", [b"no photo", b"\x89PNG\r\n\x1a\n" + b"\0" * 30])
def test_an_unreadable_photo_stops_or_is_masked(tmp_path, photo, bad):
    catalog = shop_of(photo("red"), bad, photo("blue"))
    with pytest.raises(InputError) as error:
        fill(tmp_path, catalog)
    assert str(error.value).startswith(
        "shop.csv, row 2, column `image`: must be a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF photo of "
    )
    assert f"Received: {len(bad)} bytes, which cannot be decoded" in str(error.value)
    places, colours = fill(tmp_path, catalog, on_missing_image="mask")
    assert places[2] == -1
    assert colours == {1: [255, 0, 0], 3: [0, 0, 255]}


def test_the_error_names_row_and_file_of_the_unreadable_photo(tmp_path, photo):
    (tmp_path / "bad.png").write_bytes(b"")
    catalog = shop_of(photo("red"), photo("blue"), str(tmp_path / "bad.png"))
    with pytest.raises(InputError) as error:
        fill(tmp_path, catalog)
    assert "row 1, column `image`" in str(error.value)  # the file's row, which the catalog keeps
    assert str(tmp_path / "bad.png") in str(error.value)


def test_a_batch_of_which_nothing_is_readable_is_not_encoded(tmp_path, photo):
    encode = MeanColour()
    fill(tmp_path, shop_of(b"x", b"y", photo("red")), encode, on_missing_image="mask", batch=2)
    assert encode.batches == [1]


@pytest.mark.parametrize("photos", [(None, None), (b"x", None)])
def test_a_catalog_without_any_readable_photo_is_refused(tmp_path, photos):
    # The means over no photo were NaN, and so was the model.
    with pytest.raises(InputError, match="no item has a readable photo"):
        fill(tmp_path, shop_of(*photos), on_missing_image="mask")


def test_the_order_of_the_catalog_file_changes_nobodys_photo(tmp_path, photo):
    (tmp_path / "photos").mkdir()
    rows = []
    for number, colour in enumerate(("red", "blue", "lime")):
        (tmp_path / "photos" / f"{colour}.png").write_bytes(photo(colour))
        rows.append({"item_id": f"i{number}", "image": f"{colour}.png"})
    actual = []
    for order in ((0, 1, 2), (2, 0, 1)):
        pd.DataFrame([rows[row] for row in order]).to_csv(tmp_path / "shop.csv", index=False)
        config = CatalogConfig(path=str(tmp_path / "shop.csv"), image_dir=str(tmp_path / "photos"), payload=())
        actual.append(fill(tmp_path / f"store{order[0]}", load_catalog(config, ("image",)))[1])
    assert actual[0] == actual[1] == {1: [255, 0, 0], 2: [0, 0, 255], 3: [0, 255, 0]}


def fill_several(folder, catalog, most, **settings):
    config = CatalogConfig(path="shop.csv", **settings)
    store, encode = FeatureStore(folder, (3,)), MeanColour()
    photos = Photos(replace(catalog.content["image"], most=most), catalog, config, SIZE)
    places = photos.fill(store, encode, lambda *_: None)
    colours = [[store.values[place].tolist() for place in row if place >= 0] for row in places]
    return photos, places, colours, encode


def test_of_several_photos_the_first_ones_are_read_and_each_once(tmp_path, photo):
    catalog = shop_of((photo("red"), photo("blue"), photo("lime")), photo("blue"), None)
    photos, places, colours, encode = fill_several(tmp_path, catalog, 2)
    assert places.shape == (4, 2)
    assert colours == [[], [[255, 0, 0], [0, 0, 255]], [[0, 0, 255]], []]
    assert encode.batches == [2]
    assert (photos.surplus, photos.unreadable(places)) == (1, 0)


def test_of_several_photos_an_unreadable_one_is_skipped_and_counted_or_stops(tmp_path, photo):
    catalog = shop_of((b"broken", photo("red")), (photo("blue"), b"bad", b"worse"), photo("red"))
    photos, places, colours, _ = fill_several(tmp_path, catalog, 3, on_missing_image="mask")
    assert colours[1:] == [[[255, 0, 0]], [[0, 0, 255]], [[255, 0, 0]]]
    assert (photos.surplus, photos.unreadable(places)) == (0, 3)
    with pytest.raises(InputError, match=r"row 3, column `image`.*Received: 6 bytes"):
        fill_several(tmp_path / "other", catalog, 3)


@pytest.fixture
def encoded():
    """Returns `encoded(kind)`: a photo of one colour in that format."""

    def encode(kind, **options):
        file = io.BytesIO()
        Image.new("RGB", (8, 8), (200, 100, 50)).save(file, kind, **options)
        return file.getvalue()

    return encode


def test_a_photo_that_the_graph_cannot_decode_is_turned_into_one_that_it_can(tmp_path, encoded):
    places, colours = fill(tmp_path, shop_of(encoded("WEBP", lossless=True), encoded("TIFF")))
    assert colours == {1: [200, 100, 50], 2: [200, 100, 50]}
    assert places[1] != places[2]  # found by the content of the files, not by their pixels


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_photos(tmp_path):
    # Files of 36 kB and features of 40 kB: 576 photos more would hold 21 MB of the one and 23 MB of the other.
    rng, files = np.random.default_rng(0), []
    for number in range(672):
        files.append(str(tmp_path / f"{number}.bmp"))
        Image.fromarray(rng.integers(0, 256, (110, 110, 3), np.uint8)).save(files[-1])

    def encode(pixels, digests):
        gc.collect()  # what only waits for the collector is not held
        return np.repeat(pixels[:, :1, :1, :1].reshape(-1, 1, 1), 10_000, axis=2)

    def peak(count):
        store = FeatureStore(tmp_path / f"store{count}", (1, 10_000))
        photos = shop_of(*files[:count])
        tracemalloc.start()
        read = Photos(photos.content["image"], photos, CatalogConfig(path="shop.csv"), SIZE)
        places = read.fill(store, encode, lambda *_: None, batch=32)
        standardisation(store.values[:, 0], places[places >= 0], batch=32)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(96)  # imports and traces
    few, many = peak(96), peak(672)
    assert few > 32 * 40_000  # what a batch takes is seen
    assert many - few < 12e6  # TensorFlow lets go of a batch a moment late: 8 MB more, now and then
