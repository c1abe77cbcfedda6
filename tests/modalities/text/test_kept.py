import numpy as np
import pytest
import tensorflow as tf

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.kept import bytes_to_text_encoder, text_encoder_to_bytes
from mmrec.modalities.text.vocabulary import learn_text_encoder

TITLES = np.array(["Red mug, blue lid", "blue lamp", "a red lamp for the table", "Krug, grün"], dtype=object)
NOTES = np.array(["dishwasher safe", "", "warm light", "handgemacht"], dtype=object)


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece", "bytepair", "sentencepiece"])
@pytest.mark.parametrize("max_tokens", [5, {"title": 6, "notes": 2}])
def test_an_encoder_that_was_kept_gives_the_same_tokens(tokenizer, max_tokens):
    config = TextConfig(tokenizer=tokenizer, vocabulary_size=300, max_tokens=max_tokens)
    learnt = learn_text_encoder(config, {"title": TITLES, "notes": NOTES})
    kept = bytes_to_text_encoder(text_encoder_to_bytes(learnt))
    asked = [tf.constant(["a blue mug", "unheard of", ""]), tf.constant(["warm", "", "safe light"])]
    np.testing.assert_array_equal(kept(asked), learnt(asked))
    assert learnt(asked).numpy().max() > 1
    assert list(kept.vocabulary) == list(learnt.vocabulary)
