import numpy as np
import pytest
import tensorflow as tf

from mmrec.config import Config
from mmrec.jobs.tables import load_tables
from mmrec.modalities.text.modality import TextModality
from tests.jobs.worlds import write_groups
from tests.presets import bert_preset


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups")
    return write_groups(folder), bert_preset(folder / "preset")


def modality(world, **text):
    values, preset = world
    text = {"encoder": "pretrained", "preset": preset, **text}
    config = Config.load(values, item={"modalities": ["text"], "text": text})
    return TextModality(config, load_tables(config))


def answers(world, modality):
    """Returns the tower's output for every item, from its features and from its raw texts."""
    tower, reader = modality.tower(), modality.reader()
    config = Config.load(world[0], item={"modalities": ["text"]})
    raw = {"text": tf.constant(load_tables(config).catalog.content["text"].columns["title"].tolist())}
    return tower(modality.source.rows(np.arange(1, 25)))[0].numpy(), tower(reader(raw).features)[0].numpy(), reader


def test_a_frozen_backbone_reads_each_text_once_for_all_runs(world, capsys):
    first = modality(world)
    assert "texts: 2 of 2 computed" in capsys.readouterr().err  # red or blue, and words that the preset lacks
    again = modality(world)
    assert capsys.readouterr().err == ""
    every = np.arange(25)
    np.testing.assert_array_equal(*(one.source.rows(every)["text_features"] for one in (first, again)))
    assert list(first.pretrained_variables) == []
    from_features, from_raw, reader = answers(world, first)
    np.testing.assert_allclose(from_features, from_raw, atol=1e-4)
    assert len(reader.resources) == len(first.backbone.variables)  # WordPiece is in the graph as a whole
    read = reader({name: tf.constant(["", "red"]) for name in reader.inputs})
    assert read.present.numpy().tolist() == [False, True]
    assert not read.features["text_features"][0].numpy().any()


@pytest.mark.parametrize(("trainable", "count"), [("all", 37), ("lora", 12)])
def test_a_backbone_that_trains_moves_at_its_own_rate(world, trainable, count):
    actual = modality(world, trainable=trainable)
    assert len(actual.pretrained_variables) == count
    from_features, from_raw, _ = answers(world, actual)
    np.testing.assert_allclose(from_features, from_raw, atol=1e-4)


@pytest.mark.parametrize("tokenizer", ["bytepair", "sentencepiece"])
def test_an_own_encoder_reads_in_the_export_what_it_read_in_training(world, tokenizer):
    actual = modality(world, encoder="gru", tokenizer=tokenizer, vocabulary_size=300)
    from_features, from_raw, reader = answers(world, actual)
    np.testing.assert_allclose(from_features, from_raw, atol=1e-6)
    assert reader.resources == [actual.encoder.table]
    assert list(actual.pretrained_variables) == []
