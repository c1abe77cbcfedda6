import keras_nlp
import pytest
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.preset import PresetTokenizer, load_preset_tokenizer
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.preprocess.text import TextEncoder
from tests.presets import bert_preset


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bert_preset(tmp_path_factory.mktemp("preset"))


def test_texts_become_the_presets_own_tokens_plus_one_between_its_marks(folder):
    encoder = TextEncoder(load_preset_tokenizer(folder), [2, 3])
    tokens = encoder([tf.constant(["Red COATS a", "", "tea"]), tf.constant(["blue  mug", "", ""])]).numpy()
    # [CLS] is 2, [SEP] 3, red 5, coat 6: the first column keeps two tokens; an item without text has no mark either.
    assert tokens.tolist() == [
        [3, 6, 7, 4, 9, 10, 4, 0],
        [0] * 8,
        [3, 11, 4, 0, 0, 0, 0, 0],
    ]
    assert encoder.vocabulary[6] == "red"


def test_the_config_takes_the_presets_tokenizer(folder):
    config = TextConfig(encoder="pretrained", preset=folder, max_tokens=3)
    assert learn_text_encoder(config, {"title": []})([tf.constant(["red"])]).numpy().tolist() == [[3, 6, 4, 0, 0]]


@pytest.mark.slow
def test_byte_pairs_of_a_preset_keep_their_numbers():
    pieces = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4, "r": 9, "e": 8, "d": 7, "Ġ": 6, "re": 5}
    theirs = keras_nlp.models.RobertaTokenizer(pieces, ["r e"])
    own = PresetTokenizer(theirs)
    text = tf.constant(["red re", "de"])
    want = tf.function(lambda text: theirs(text))(text).to_list()
    assert want == [[5, 7, 6, 5], [7, 8]]
    assert (own(text) - 1).to_list() == want
    assert (own.start, own.end, own.lower) == (1, 3, False)


def test_a_preset_that_cannot_be_had_is_one_error_with_the_remedy(tmp_path):
    with pytest.raises(InputError) as error:
        load_preset_tokenizer(str(tmp_path / "none"))
    assert "`item.text.preset`: the tokenizer of" in str(error.value)
    assert "save_to_preset(FOLDER)" in str(error.value)
