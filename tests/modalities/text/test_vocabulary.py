import json

import numpy as np
import pytest
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.vocabulary import learn_text_encoder, load_tokenizer

TEXTS = {"title": np.array(["red coat", "blue mug"] * 3, object)}


def tokens(encoder, text):
    return [encoder.vocabulary[token] for token in encoder([tf.constant([text])]).numpy()[0] if token]


def loaded(kind, path):
    return learn_text_encoder(TextConfig(tokenizer=kind, vocabulary=str(path), max_tokens=9), TEXTS)


def test_a_list_of_tokens_is_a_vocabulary_wherever_its_marks_stand(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[PAD]\n[unused0]\n[UNK]\nred\n##dish\ncoat\n", encoding="utf-8")
    pieces = loaded("wordpiece", path)
    assert pieces.vocabulary == ["[PAD]", "[UNK]", "[unused0]", "red", "##dish", "coat"]
    assert tokens(pieces, "Reddish coat 5") == ["red", "##dish", "coat", "[UNK]"]
    assert tokens(loaded("word", path), "Reddish coat 5") == ["[UNK]", "coat", "[UNK]"]


@pytest.mark.parametrize("name", ["vocabulary.json", "vocab.json"])
def test_byte_pairs_are_read_from_the_files_of_gpt_2(tmp_path, name):
    pieces = {"Ġ": 3, "r": 0, "e": 1, "d": 2, "re": 4, "Ġre": 5}
    (tmp_path / name).write_text(json.dumps(pieces), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\nr e\nĠ re\n", encoding="utf-8")
    encoder = loaded("bytepair", tmp_path)
    assert encoder.vocabulary[:4] == ["[PAD]", "[UNK]", "r", "e"]
    assert tokens(encoder, "red deer") == ["Ġre", "d", "Ġ", "d", "e", "e", "r"]


def test_a_sentencepiece_model_is_read_as_it_was_learnt(tmp_path):
    learnt = learn_text_encoder(TextConfig(tokenizer="sentencepiece", vocabulary_size=40, max_tokens=9), TEXTS)
    path = tmp_path / "catalog.model"
    path.write_bytes(learnt.tokenizer.model)
    again = loaded("sentencepiece", path)
    assert again.vocabulary == learnt.vocabulary
    assert tokens(again, "red mug") == tokens(learnt, "red mug")


def test_more_letters_than_the_vocabulary_has_room_for_are_no_failure():
    # SentencePiece refuses to learn when its letters alone fill the vocabulary; Chinese catalogs have thousands.
    letters = np.array([chr(0x4E00 + at) + chr(0x4E00 + at + 1) for at in range(0, 100, 2)] + ["红色"] * 9, object)
    encoder = learn_text_encoder(TextConfig(tokenizer="sentencepiece", vocabulary_size=20), {"title": letters})
    assert len(encoder.vocabulary) <= 20
    assert "[UNK]" not in tokens(encoder, "红色")
    assert "<unk>" not in tokens(encoder, "红色")


@pytest.mark.parametrize("kind", ["word", "wordpiece", "bytepair", "sentencepiece"])
def test_a_vocabulary_that_is_not_there_is_one_error_with_the_remedy(kind, tmp_path):
    with pytest.raises(InputError, match=r"`item.text.vocabulary`: .*none.* cannot be read: No such file .* null to"):
        load_tokenizer(kind, tmp_path / "none")


def test_a_file_that_is_no_vocabulary_is_refused(tmp_path):
    (tmp_path / "vocab.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "merges.txt").write_text("a b\n", encoding="utf-8")
    (tmp_path / "broken.model").write_bytes(b"\xff\xfenothing")
    for kind, path in (
        ("bytepair", tmp_path),
        ("sentencepiece", tmp_path / "broken.model"),
        ("word", tmp_path / "broken.model"),
    ):
        with pytest.raises(InputError, match=f"is no vocabulary of `item.text.tokenizer: {kind}`"):
            load_tokenizer(kind, path)
