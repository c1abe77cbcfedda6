import keras_nlp
import numpy as np
import pytest
import tensorflow as tf

from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.preprocess.tokenizers import BytePairs, part_unspaced

CHINESE = [
    "红色羊毛大衣 女士冬季中长款",
    "蓝色牛仔衬衫 男士长袖",
    "陶瓷咖啡杯 350毫升 红色",
    "不锈钢保温杯500ml",
    "儿童棉质T恤 卡通印花",
    "无线蓝牙耳机 降噪 黑色",
    "绿茶礼盒装 250克",
    "红色真皮女士手提包",
]
MERGES = ["r e", "Ġ re", "Ġre d", "c o", "a t", "co at", "Ġ coat"]
PIECES = ["Ġ", "a", "c", "d", "e", "o", "r", "s", "t", "re", "Ġre", "Ġred", "co", "at", "coat", "Ġcoat"]


def tokens_of(tokenizer, *texts):
    return [[tokenizer.vocabulary[token] for token in row] for row in tokenizer(tf.constant(texts)).to_list()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("红色mug 杯", "红 色 mug 杯"),
        ("赤いマグカップ コーヒー", "赤 い マグカップ コーヒー"),
        ("แก้วกาแฟ", "แ ก้ ว ก า แ ฟ"),
        ("마그컵 red größe", "마그컵 red größe"),  # Korean is written with spaces
    ],
)
def test_unspaced_scripts_are_parted(text, expected):
    assert part_unspaced(tf.constant([text])).numpy()[0].decode() == expected


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece", "bytepair", "sentencepiece"])
def test_chinese_titles_share_tokens_where_they_share_words(tokenizer):
    config = TextConfig(tokenizer=tokenizer, vocabulary_size=330, max_tokens=60)
    encoder = learn_text_encoder(config, {"title": np.array(CHINESE, object)})
    titles = encoder([tf.constant(CHINESE)]).numpy()
    assert 1 not in titles
    lengths = (titles > 0).sum(axis=1)
    assert (lengths >= 4).all()  # not one token for a whole title
    assert (lengths <= [len(title.encode()) for title in CHINESE]).all()
    # A title that was never seen is recognised by the words that it shares.
    new = set(encoder([tf.constant(["红色咖啡杯"])]).numpy()[0]) - {0}
    shared = [len(new & set(row)) for row in titles]
    assert int(np.argmax(shared)) == 2


def test_byte_pairs_merge_the_pair_that_was_learnt_first():
    tokenizer = BytePairs({piece: at for at, piece in enumerate(PIECES)}, MERGES)
    # o and a stand between c and t: "co" and "at" are merged before "coat", and " coat" last.
    assert tokens_of(tokenizer, "red coat", "coats", "tacos", "") == [
        ["Ġred", "Ġcoat"],
        ["Ġcoat", "s"],
        ["Ġ", "t", "a", "co", "s"],
        [],
    ]
    assert tokens_of(tokenizer, "z red") == [["Ġ", "[UNK]", "Ġred"]]  # a byte that the vocabulary lacks


@pytest.mark.slow
def test_byte_pairs_are_those_of_keras_nlp():
    texts = ["red coat", "red coats & hats", "blue coat's size 42, new!", "红色 咖啡杯", "größe naïve"] * 3
    config = TextConfig(tokenizer="bytepair", vocabulary_size=330)
    own = learn_text_encoder(config, {"title": np.array(texts, object)}).tokenizer
    assert len(own.vocabulary) > 270  # some merges were learnt
    vocabulary = {piece: at for at, piece in enumerate(own.vocabulary[2:])}
    theirs = keras_nlp.tokenizers.BytePairTokenizer(vocabulary, own.merges, add_prefix_space=True)
    asked = tf.constant([*texts[:5], "don't we'll coatred-hat  x", "3,5 kg (neu) é", "杯色 redred"])
    want = tf.function(lambda text: theirs(text))(asked)
    assert (own(asked) - 2).to_list() == want.to_list()


def test_a_word_without_end_is_read_in_parts():
    tokenizer = BytePairs({piece: at for at, piece in enumerate(PIECES)}, MERGES)
    (row,) = tokens_of(tokenizer, "coat" * 5000)
    assert "".join(row).replace("Ġ", "") == "coat" * 5000
    assert row[:9] == ["Ġcoat", *["coat"] * 6, "co", "a"]  # the first part ends after 32 characters
