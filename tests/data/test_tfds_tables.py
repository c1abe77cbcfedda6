"""Tables from TFDS: data sets with other column names than the sample shop, read through the same config keys."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mmrec.config.data import CatalogConfig, InteractionsConfig
from mmrec.data.interactions import load_interactions
from mmrec.data.tables import read_table
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError
from tests.catalogs import load_catalog

COLOURS = {"w30": (200, 0, 0), "w10": (0, 200, 0), "w20": (0, 0, 200)}


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory, photo):
    """Prepares two data sets on disk: `tiny_wines` with photos, and `tiny_wines_taken`."""
    with tfds.core.registered.skip_registration():  # as for a reader that has the files but not this code

        class TinyWines(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                text = tfds.features.Text()
                features = {"sku": text, "name": text, "label": tfds.features.Image(), "scan": text, "year": np.int64}
                features["taste"] = tfds.features.Tensor(shape=(2,), dtype=np.float32)
                return self.dataset_info_from_configs(
                    features=tfds.features.FeaturesDict(features), disable_shuffling=True
                )

            def _split_generators(self, dl_manager):
                return {"shelf": self._generate_examples()}

            def _generate_examples(self):
                for row, (sku, colour) in enumerate(COLOURS.items()):
                    image = np.full((6, 6, 3), colour, np.uint8)
                    scan = photo(colour)
                    text = {"sku": sku, "name": f"Grüner {sku}", "scan": scan}
                    yield row, {**text, "label": image, "year": 2000 + row, "taste": [row, 0.5]}

        class TinyWinesTaken(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.0.0")

            def _info(self):
                text = tfds.features.Text()
                features = {"who": text, "sku": text, "when": np.int64, "stars": np.float32}
                return self.dataset_info_from_configs(
                    features=tfds.features.FeaturesDict(features), disable_shuffling=True
                )

            def _split_generators(self, dl_manager):
                return {"train": self._generate_examples()}

            def _generate_examples(self):
                for row, (who, sku, when, stars) in enumerate([("ann", "w20", 5, 4.5), ("ann", "w10", 2, 1.0)]):
                    yield row, {"who": who, "sku": sku, "when": when, "stars": stars}

    folder = str(tmp_path_factory.mktemp("tfds"))
    tfds.disable_progress_bar()
    for builder in (TinyWines, TinyWinesTaken):
        builder(data_dir=folder).download_and_prepare()
    return folder


def wines(**changes):
    columns = {"item_id": "sku", "text": ("name",), "image": "label", "payload": ("year",)}
    return CatalogConfig(**({"path": "tfds:tiny_wines:shelf"} | columns | changes))


def test_a_catalog_comes_from_tfds_through_the_column_mapping(tfds_dir):
    catalog = load_catalog(wines(), ("image", "text"), tfds_dir)
    assert catalog.item_ids.tolist() == ["w10", "w20", "w30"]
    assert catalog.content["text"].columns["name"].tolist() == ["Grüner w10", "Grüner w20", "Grüner w30"]
    assert catalog.payload["year"].tolist() == [2001, 2002, 2000]
    assert catalog.source_rows.tolist() == [1, 2, 0]


def test_an_image_feature_arrives_as_its_encoded_bytes(tfds_dir):
    import tensorflow as tf

    catalog = load_catalog(wines(), ("image",), tfds_dir)
    for item, sku in enumerate(catalog.item_ids):
        assert isinstance(catalog.content["image"].files[item], bytes)
        assert tf.io.decode_png(catalog.content["image"].files[item]).numpy()[0, 0].tolist() == list(COLOURS[sku])


def test_a_tensor_feature_is_a_column_of_vectors(tfds_dir):
    catalog = load_catalog(wines(features="taste"), ("features",), tfds_dir)
    assert catalog.content["features"].values.tolist() == [[1, 0.5], [2, 0.5], [0, 0.5]]


def test_encoded_files_in_a_text_feature_of_any_name_stay_bytes(tfds_dir, photo):
    # Regression: only columns called `image` and `audio` did; others failed to decode as UTF-8.
    catalog = load_catalog(wines(image="scan"), ("image",), tfds_dir)
    assert catalog.content["image"].files.tolist() == [photo(COLOURS[sku]) for sku in ("w10", "w20", "w30")]


def test_interactions_come_from_tfds_with_the_default_split(tfds_dir):
    config = InteractionsConfig(
        path="tfds:tiny_wines_taken", user_id="who", item_id="sku", timestamp="when", rating="stars", min_rating=3
    )
    events = load_interactions(config, Vocabulary(["w10", "w20", "w30"]), tfds_dir)
    assert events.user_ids.tolist() == ["ann"]
    assert events.time.tolist() == [2.0, 5.0]
    assert events.row.tolist() == [1, 2]
    assert events.positive.tolist() == [False, True]


def test_a_part_of_a_split_may_be_named(tfds_dir):
    table = read_table("tfds:tiny_wines:shelf[1:]", ["sku"], key="data.catalog.path", tfds_dir=tfds_dir)
    assert table["sku"].tolist() == ["w10", "w20"]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("tfds:no_such_set", "TFDS knows no such data set in"),
        ("tfds:", "TFDS knows no such data set in"),
        ("tfds:mmrec_sample_shop/enormous-items", "TFDS knows no such data set in"),
        ("tfds:tiny_wines", "no such split, or an empty one"),
        ("tfds:tiny_wines:shelf[:0]", "no such split, or an empty one"),
    ],
)
def test_an_unknown_data_set_or_split_is_refused(tfds_dir, path, rule):
    with pytest.raises(InputError) as error:
        read_table(path, ["sku"], key="data.catalog.path", tfds_dir=tfds_dir)
    assert str(error.value).startswith(f"{path}: {rule}")


def test_an_absent_feature_is_named_with_the_nearest_one(tfds_dir):
    with pytest.raises(
        InputError, match=r"no column `skus`. Did you mean `sku`\? .*Map the columns under `data.catalog`"
    ):
        load_catalog(wines(item_id="skus"), ("text",), tfds_dir)
