"""The contract of modalities, for those of mmrec and for one from outside."""

import io

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

from mmrec.config import Config
from mmrec.data.raw_items import RawItems
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Histories, Split
from mmrec.data.vocabulary import Vocabulary
from mmrec.modalities.catalog import read_catalog
from mmrec.modalities.fields import item_fields
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import MODALITIES, find_modality, modality_classes
from tests.data.builders import make_events, make_histories
from tests.preprocess.wav_files import tone, wav

SMELL = "tests.toys.smell:Smell"
DIM = 8


def picture(colour):
    file = io.BytesIO()
    Image.new("RGB", (40, 40), colour).save(file, "PNG")
    return file.getvalue()


def sound(hz):
    return wav(np.round(tone(hz, 8000, 0.2) * 32767), 8000)


@pytest.fixture(params=[*MODALITIES, SMELL])
def modality(request):
    return request.param


@pytest.fixture
def config(modality, tmp_path):
    """The config of a shop of four items, in another order than that of their ids; the third, c, has nothing."""
    pd.DataFrame(
        {
            "item_id": ["d", "c", "b", "a"],
            "title": ["green hat", "", "blue mug", "red coat"],
            "image": [picture("green"), None, picture("blue"), picture("red")],
            "sound": [sound(300), None, sound(600), sound(900)],
            "kind": ["hat", None, "mug", "coat"],
            "price": [4.0, None, 2.0, 1.0],
            "vector": [[4.0, 1.0], None, [2.0, 3.0], [1.0, 4.0]],
            "smell": ["oak:0.4", "", "musk:0.2", "rose:0.7 musk:0.1"],
        }
    ).to_parquet(tmp_path / "items.parquet")
    catalog = {
        "path": str(tmp_path / "items.parquet"),
        "text": ["title"],
        "audio": "sound",
        "attributes": {"kind": "category", "price": "price"},
        "features": "vector",
        "payload": [],
    }
    return Config.load(
        data={"catalog": catalog, "interactions": None, "cache_dir": str(tmp_path / "cache")},
        item={
            "modalities": [modality],
            "dim": DIM,
            "image": {"backbone": "mobilenetv2", "size": 32, "weights": None},
            "text": {"tokenizer": "word", "embedding_dim": 4, "units": 4},
            "audio": {"rate": 8000, "seconds": 0.3, "channels": 8},
            "item_id": {"initial": "random"},
        },
    )


def tables(config):
    catalog = read_catalog(config)
    histories = make_histories([(1, 0.0), (2, 1.0)], [(2, 0.0), (4, 1.0)])
    split = Split(Histories(histories.rows, histories.time), None, None)
    return Tables(catalog, Vocabulary(catalog.item_ids), make_events([(0, 1, 0)]), split, np.array([0, 1, 2, 0, 1]))


def own(config):
    ((name, actual),) = modality_classes(config).items()
    return name, actual


def test_it_has_a_name_settings_that_survive_json_and_columns(config, modality):
    name, actual = own(config)
    assert issubclass(actual, Modality)
    assert modality in (name, SMELL)
    settings = actual.settings(config)
    assert isinstance(settings, actual.Settings)
    assert actual.Settings.model_validate_json(settings.model_dump_json()) == settings
    assert set(actual.columns(config)) <= set(pd.read_parquet(config.data.catalog.path))
    actual.require_settings(config)


def test_its_content_is_taken_lengthened_and_asked_by_item(config):
    name, _ = own(config)
    content = read_catalog(config).content.get(name)
    if content is None:  # nothing beside the ids
        return
    assert content.missing.tolist() == [False, False, True, False]
    swapped = content.take(np.array([3, 2, 0, 0]))
    assert swapped.missing.tolist() == [False, True, False, False]
    longer = content.lengthened(2)
    assert longer.missing.tolist() == [False, False, True, False, True, True]
    for field in item_fields(config):
        values = [content.value(field.column, item) for item in range(4)]
        assert np.array_equal(swapped.value(field.column, 0), values[3])
        assert np.array_equal(longer.value(field.column, 3), values[3])
        nothing = longer.value(field.column, 5)
        assert np.array_equal(nothing, values[2]) or (np.isnan(nothing).all() and np.isnan(values[2]).all())


def test_training_and_the_export_read_the_same_features(config):
    _, actual = own(config)
    shop = tables(config)
    made, raw = actual(config, shop), RawItems(shop.catalog, item_fields(config))
    reader = made.reader()
    inputs = raw.columns([raw.item(item) for item in range(4)])
    assert set(inputs) == set(reader.inputs)
    tensors = {
        key: tf.reshape(tf.constant(inputs[key].ravel().tolist(), spec.dtype), inputs[key].shape)
        for key, spec in reader.inputs.items()
    }
    read, source = reader(tensors), made.source.rows(np.arange(1, 5))
    assert set(read.features) == set(source)
    for key, values in source.items():
        other = read.features[key].numpy()
        if key in made.source.longest:  # as long as the longest of each batch
            other = other[:, : values.shape[1]]
        np.testing.assert_allclose(other, values, atol=1e-4, err_msg=key)
    assert made.source.longest <= set(source)
    none = made.source.rows(np.array([0]))  # padding has nothing
    vectors, present = made.tower()({key: tf.constant(values) for key, values in source.items()})
    assert (vectors.shape, vectors.dtype) == ((4, DIM), tf.float32)
    expected = [True, True, False, True]  # of ids, c has no training events
    assert present.numpy().tolist() == read.present.numpy().tolist() == expected
    assert {key: values.shape[1:] for key, values in none.items() if key not in made.source.longest} == {
        key: values.shape[1:] for key, values in source.items() if key not in made.source.longest
    }


def test_its_fields_are_free_of_each_other_and_of_all_others(config):
    name, _ = own(config)
    fields = item_fields(config)
    assert fields
    assert {field.modality for field in fields} == {name}
    assert len({field.input for field in fields}) == len(fields)


def test_what_it_checks_covers_three_items_of_four(config):
    name, actual = own(config)
    catalog = read_catalog(config)
    if name not in catalog.content:
        return
    checks = actual.checks(actual, config)
    assert set(checks.coverage(catalog.content[name]).values()) == {0.75}
    checks.require_files()
    audit = checks.audit(catalog, True, ())
    assert audit is None or audit.facts


def test_every_name_of_the_list_is_that_of_its_class():
    assert [find_modality(name).name for name in MODALITIES] == [*MODALITIES]
