"""A model of items with several photos, from training to the answers of its export."""

import csv
import functools
import io
import json
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

import mmrec
from mmrec.config import Config
from mmrec.data.raw_items import RawItems
from mmrec.jobs.tables import load_tables
from mmrec.modalities.fields import item_fields
from mmrec.modalities.image import tower
from mmrec.modalities.image.modality import ImageModality
from tests.jobs.worlds import MeanColour, write_groups

P = 3


def encode(colour, kind="PNG"):
    file = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.new("RGB", (8, 8), colour).save(file, kind, **options)
    return file.getvalue()


def write_photos(folder, **image):
    """Gives each item photos of its group's colours: up to four in different formats, of which some are broken."""
    config = write_groups(folder, learning_rate=0.01, epochs=3)
    with open(folder / "items.csv", newline="") as file:
        header, *rows = csv.reader(file)
    for number, row in enumerate(rows):
        names = [f"{number}-{place}" for place in range(1 + number % 4)]
        for place, name in enumerate(names):
            shade = 10 * (number % 12) + place
            colour = (250, shade, 40) if number < 12 else (shade, 40, 250)
            kind = ("PNG", "WEBP", "JPEG", "TIFF")[(number + place) % 4]
            (folder / name).write_bytes(b"broken" if (number, place) in ((3, 0), (5, 1)) else encode(colour, kind))
        row.append("" if number == 8 else names[0] if len(names) == 1 else json.dumps(names))
    with open(folder / "items.csv", "w", newline="") as file:
        csv.writer(file).writerows([[*header, "image"], *rows])
    config["data"]["catalog"] |= {"image": "image", "on_missing_image": "mask"}
    config["item"] |= {"modalities": ["image"], "image": {"weights": None, "size": 32, "max_photos": P, **image}}
    return config


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    config = write_photos(folder)
    with mock.patch.object(tower, "Backbone", MeanColour):
        result = mmrec.train(config)
        tables = load_tables(Config.load(config))
        images = ImageModality(Config.load(config), tables)
    return folder, result, tables, images


@functools.cache
def signature(export_dir):
    return tf.saved_model.load(str(export_dir)).signatures["embed_item"]


def ask(result, *rows):
    padded = tf.constant([[*row, *[b""] * (P - len(row))] for row in rows])
    actual = signature(result.export_dir)(image_bytes=padded)
    return actual["embedding"].numpy(), actual["status"].numpy().tolist()


def test_photos_find_the_users_group(world):
    assert world[1].metrics["test"]["hit_rate@10"] > 0.6  # by chance, 10 of 18 or fewer that are left


def test_what_is_cut_and_what_is_unreadable_is_counted(world):
    # Items 3, 7, 11, ... have a fourth photo, which is not read; two that are read are broken.
    assert world[1].metrics["skipped"]["catalog"] == {"image_surplus": 6, "image_unreadable": 2}


def test_the_export_reads_what_training_read(world):
    _, result, tables, images = world
    items = RawItems(tables.catalog, item_fields(Config.load(result.run_dir / "config.yaml")))
    raw = [items.item(item)["image_bytes"] for item in range(len(tables.catalog))]
    reader = images.reader()
    assert reader.inputs["image_bytes"].shape.as_list() == [None, P]
    read = tf.function(lambda files: reader({"image_bytes": files}))(tf.constant(raw))
    features = images.source.rows(np.arange(1, len(raw) + 1))
    np.testing.assert_allclose(read.features["image_features"], features["image_features"], atol=1e-6)
    np.testing.assert_array_equal(read.features["image_present"], features["image_present"])
    assert sum(features["image_present"]) == 23
    assert sorted(read.status.numpy().tolist()) == [0] * 22 + [1, 1]


def test_each_row_of_the_export_stands_alone_and_says_when_a_photo_is_unreadable(world):
    red, blue = encode((250, 30, 40)), encode((30, 40, 250))
    rows = [
        [red],
        [b"", red],
        [red, red],
        [red, b"broken"],
        [red, blue],
        [b"broken"],
        [],
        [blue, encode("red", "WEBP")],
    ]
    embeddings, status = ask(world[1], *rows)
    assert status == [0, 0, 0, 1, 0, 5, 4, 1]
    for same in (1, 2, 3):
        np.testing.assert_allclose(embeddings[same], embeddings[0], atol=1e-5)
    assert np.abs(embeddings[4] - embeddings[0]).max() > 1e-3
    for row, one in enumerate(rows):
        np.testing.assert_allclose(ask(world[1], one)[0][0], embeddings[row], atol=1e-5)


def test_the_order_of_an_items_photos_changes_nothing(world):
    photos = [encode((250, 30, 40)), encode((30, 40, 250)), encode((90, 90, 90))]
    embeddings, _ = ask(world[1], photos, photos[::-1])
    np.testing.assert_allclose(embeddings[0], embeddings[1], atol=1e-5)


def test_a_table_may_hold_lists_of_photos(world):
    folder, result, *_ = world
    red, blue, grey = encode((250, 30, 40)), encode((30, 40, 250)), encode((90, 90, 90))
    (folder / "red.png").write_bytes(red)
    cells = [[str(folder / "red.png"), blue], np.array([red, blue], object), [red, None, blue, ""], red, None]
    cells += [[red, blue, grey, blue], json.dumps([str(folder / "red.png")])]
    loaded = mmrec.load(result.export_dir).embed_items(pd.DataFrame({"image": pd.Series(cells, dtype=object)}))
    expected, _ = ask(result, [red, blue], [red], [], [red, blue, grey])
    np.testing.assert_allclose(loaded, expected[[0, 0, 0, 1, 2, 3, 1]], atol=1e-5)


def test_several_photos_and_a_backbone_that_trains_are_refused(tmp_path):
    with pytest.raises(mmrec.InputError, match=r"`max_photos` must be 1 when the backbone trains .* Received"):
        Config.load(write_photos(tmp_path, trainable="top"))


def test_photos_that_were_transcoded_train_like_any_other_and_are_checked_in_the_export(tmp_path):
    # `mmrec.train` compares the reloaded export with the model on every item, WebP and TIFF among them.
    config = write_photos(tmp_path, max_photos=1)
    with mock.patch.object(tower, "Backbone", MeanColour):
        result = mmrec.train(config)
    assert result.metrics["skipped"]["catalog"] == {"image_surplus": 36, "image_unreadable": 1}
    assert "WebP, AVIF and TIFF are not read" in (result.export_dir / "mmrec" / "README.md").read_text()


def test_an_unknown_backbone_is_refused_before_any_table_is_read():
    data = {"catalog": {"path": "no such file.csv", "text": ["title"]}, "interactions": {"path": "nor this.csv"}}
    with pytest.raises(mmrec.InputError, match=r"Did you mean `resnet50`\? Received: 'resnet51'"):
        mmrec.train({"data": data, "item": {"image": {"backbone": "resnet51"}}})
