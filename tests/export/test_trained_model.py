"""The trained model in an export is restored and saved again."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from mmrec.export.trained_model import restore_model
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.reader import TextReader
from mmrec.modalities.text.tower import TextTower
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.towers.candidate import CandidateTower
from tests.export.small import served, small_parts


def save(parts, folder):
    """Saves; returns what is loaded again, and the number of functions in it."""
    module, signatures = served(parts)
    tf.saved_model.save(module, str(folder), signatures={name: one.function for name, one in signatures.items()})
    content = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return tf.saved_model.load(str(folder)), len(content.meta_graphs[0].graph_def.library.function)


@pytest.mark.slow
@pytest.mark.parametrize("tokenizer", ["word", "sentencepiece"])
def test_a_restored_and_saved_model_holds_the_same_functions(tokenizer, tmp_path):
    texts = np.array(["red mug", "blue mug", "blue lamp with a red shade", "green lamp"], object)
    config = TextConfig(tokenizer=tokenizer, vocabulary_size=40)
    encoder = learn_text_encoder(config, {"title": texts})
    tower = CandidateTower({"text": TextTower(config, len(encoder.vocabulary), 2)}, "concatenation", 2)
    tower({"text_tokens": np.array([[2]], np.int32)})
    parts = small_parts(candidate_tower=tower, readers=[TextReader(encoder, ["text"])])
    first, _ = save(parts, tmp_path / "1")
    second, count = save(replace(parts, model=restore_model(first, "1")), tmp_path / "2")
    third, again = save(replace(parts, model=restore_model(second, "2")), tmp_path / "3")
    assert again == count
    asked = {"text": tf.constant(["red lamp", "", "mug"])}
    embedded = [loaded.signatures["embed_item"](**asked) for loaded in (first, third)]
    np.testing.assert_array_equal(*(one["embedding"] for one in embedded))
    assert [one["status"].numpy().tolist() for one in embedded] == [[0, 4, 0]] * 2
