"""The run folder has what encoders learnt before the first step, for a later training on a changed catalog."""

import csv

import numpy as np
import pandas as pd
import pytest
import tf_keras

import mmrec
from mmrec.data.learnt import bytes_to_arrays
from mmrec.data.vocabulary import Vocabulary
from mmrec.modalities.text.kept import bytes_to_text_encoder
from mmrec.preprocess.attributes import AttributeEncoder
from tests.jobs.worlds import write_groups


class Listing(tf_keras.callbacks.Callback):
    """Lists the folder when training begins."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.names = folder, None

    def on_train_begin(self, logs=None):
        self.names = sorted(path.name for path in self.folder.iterdir())


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """The folder, and the names that were there when training began."""
    folder = tmp_path_factory.mktemp("learnt")
    config = write_groups(folder, users=40, epochs=1)
    items = pd.read_csv(folder / "items.csv")
    items["colour"], items["x"] = items["title"].str.split().str[0], np.arange(24.0)
    items["y"] = 1.0
    items.to_csv(folder / "items.csv", index=False)
    with open(folder / "users.csv", "w", newline="") as file:
        csv.writer(file).writerows([["user_id", "city"], *([f"u{user}", f"c{user % 3}"] for user in range(40))])
    config["data"] |= {"users": {"path": str(folder / "users.csv"), "attributes": {"city": "category"}}}
    config["data"]["catalog"] |= {"attributes": {"colour": "category", "x": "number"}}
    config["item"] |= {"modalities": ["text", "attributes", "item_id"]}
    config["item"]["text"] = {"tokenizer": "word", "encoder": "latent", "latent_dim": 4}
    listing = Listing(folder / "runs" / "groups" / "1" / "learnt")
    mmrec.train(config, callbacks=[listing])
    return listing


def content(learnt, name):
    return (learnt.folder / name).read_bytes()


def test_the_learnt_files_are_there_before_the_first_step(learnt):
    names = ["attributes.json", "item_id.npz", "items.json", "text.json", "text.npz", "users.json"]
    assert learnt.names == names
    assert sorted(path.name for path in learnt.folder.iterdir()) == names


def test_items_keep_their_rows_and_those_of_the_id_table(learnt):
    vocabulary = Vocabulary.from_bytes(content(learnt, "items.json"))
    assert vocabulary.items == 24
    assert set(vocabulary.ids[1:]) == {f"{colour}-{number}" for colour in ("red", "blue") for number in range(12)}
    rows = bytes_to_arrays(content(learnt, "item_id.npz"))["table_rows"]
    assert rows[0] == 0
    assert sorted(set(rows[1:]) - {0}) == list(range(1, rows.max() + 1))


def test_categories_scales_and_words_are_read_back(learnt):
    encoder = AttributeEncoder.from_bytes(content(learnt, "attributes.json"))
    assert set(encoder.categories["colour"]) == {"red", "blue"}
    assert encoder.scales["x"] == pytest.approx((11.5, np.sqrt((24**2 - 1) / 12)))
    assert set(AttributeEncoder.from_bytes(content(learnt, "users.json")).categories["city"]) == {"c0", "c1", "c2"}
    words = bytes_to_text_encoder(content(learnt, "text.json")).vocabulary
    assert {"red", "blue", "thing"} <= set(words)
    fitted = bytes_to_arrays(content(learnt, "text.npz"))
    assert len(fitted["table"]) == len(fitted["rarity"]) == len(words)
