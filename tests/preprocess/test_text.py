import functools
import random

import numpy as np
import pytest
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.export.lint import lint_operations
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.preprocess.text import TextEncoder, normalise

ALL = ["word", "wordpiece", "bytepair", "sentencepiece"]

TITLES = ["red coat", "red coats", "blue coat", "green shirt, long", "long blue shirt", ""] * 3
BODIES = ["warm", "warm and red", "", "soft", "soft and long", "nothing"] * 3


def column(*texts):
    return tf.constant(list(texts))


def learnt(tokenizer, columns=(TITLES, BODIES), **options):
    return learnt_once(tokenizer, tuple(map(tuple, columns)), **options)


@functools.cache
def learnt_once(tokenizer, columns, max_tokens=6, vocabulary_size=None):
    vocabulary_size = vocabulary_size or (300 if tokenizer == "bytepair" else 200)
    config = TextConfig(tokenizer=tokenizer, max_tokens=max_tokens, vocabulary_size=vocabulary_size)
    return learn_text_encoder(config, {str(at): np.array(texts, dtype=object) for at, texts in enumerate(columns)})


def words(encoder, tokens):
    """Returns the words that tokens stand for; Ġ and ▁ begin words, ## goes on with one."""
    pieces = [encoder.vocabulary[token] for token in tokens if token]
    if any(piece.startswith(("Ġ", "▁")) for piece in pieces):
        return "".join(pieces).replace("Ġ", " ").replace("▁", " ").strip()
    return " ".join(pieces).replace(" ##", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red COAT", "red coat"),
        ("ÄÖÜ Éclair ΣΑΣ", "äöü éclair σας"),
        ("  a \t b\r\nc\u000b ", "a b c"),
        ("a\x00b\x1fc\x7fd", "a b c d"),
        (b"caf\xe9 noir", "caf noir"),
        (b"\xff", ""),
        ("\ufffd", ""),
        ("a\u00a0b\u3000\u2028c\u0085", "a b c"),
        ("", ""),
        ("日本語 テスト", "日本語 テスト"),
        ("\U0001f600 ok", "\U0001f600 ok"),
        ("CAFE\u0301 wire\u00adless &#8203;mug&shy;s \ufeff", "caf\u00e9 wireless mugs"),
        ("<o:p>I\u0307</o:p>", "i\u0307"),
    ],
)
def test_normalised_texts_are_lower_case_valid_and_evenly_spaced(text, expected):
    assert normalise(column(text)).numpy()[0].decode() == expected


def test_normalising_twice_changes_nothing():
    once = normalise(column(" A\tb\x01", b"\xe9X", "İstanbul", "E\u0301\u200b<br>", "\u212b"))
    assert normalise(once).numpy().tolist() == once.numpy().tolist()


def test_words_are_numbered_by_how_often_they_stand_and_then_by_name():
    encoder = learnt("word", [["b a", "a c", "C, b! d's"]])
    assert list(encoder.vocabulary) == ["[PAD]", "[UNK]", "a", "b", "c", "d", "s"]
    assert encoder([column("a b. c d", "x-b", "")]).numpy().tolist() == [
        [2, 3, 4, 5, 0, 0],
        [1, 3, 0, 0, 0, 0],
        [0] * 6,
    ]


def test_a_word_is_one_however_it_is_typed_and_joined():
    persian, hindi = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937"
    emoji = "\u2764\ufe0f\u200d\U0001f525mug \U0001f469\u200d\U0001f52c"
    encoder = learnt("word", [[f"caf\u00e9 cafe\u0301 wire\u00adless wireless {persian} {hindi}", emoji]])
    assert set(encoder.vocabulary[2:]) == {"caf\u00e9", "wireless", persian, hindi, "mug"}


def test_the_vocabulary_holds_no_more_tokens_than_allowed():
    assert list(learnt("word", [["b a", "a c"]], vocabulary_size=8).vocabulary) == ["[PAD]", "[UNK]", "a", "b", "c"]
    many = [[f"w{number:02d}" for number in range(50)] * 3]
    for tokenizer in ("word", "wordpiece"):
        assert len(learnt(tokenizer, many, vocabulary_size=9).vocabulary) == 9


def test_accents_and_signs_between_words_part_words_but_letters_of_any_script_do_not():
    encoder = learnt("word", [["größe naïve 日本 x_y a\u00a0b 3,5"]])
    assert set(encoder.vocabulary[2:]) == {"größe", "naïve", "日", "本", "x", "y", "a", "b", "3", "5"}


@pytest.mark.parametrize("tokenizer", ALL)
def test_texts_of_the_vocabulary_come_back_from_their_tokens(tokenizer):
    encoder = learnt(tokenizer, max_tokens=20)
    texts = ["Red coat", "long  BLUE shirt", "soft and warm"]
    tokens = encoder([column(*texts), column("", "", "")]).numpy()
    assert tokens.dtype == np.int32
    assert 1 not in tokens
    assert [words(encoder, row) for row in tokens] == ["red coat", "long blue shirt", "soft and warm"]


def test_pieces_spell_words_that_were_never_seen():
    encoder = learnt("wordpiece")
    (row,) = encoder([column("redcoat")]).numpy()
    assert 1 not in row
    assert words(encoder, row).replace(" ", "") == "redcoat"
    (unknown,) = encoder([column("日 coat")]).numpy()
    assert unknown[0] == 1
    assert words(encoder, unknown[1:]) == "coat"


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_each_column_keeps_its_first_tokens_and_they_are_joined_without_gaps(tokenizer):
    encoder = learnt(tokenizer, max_tokens=2)
    titles, bodies = column("red coat long", "blue", ""), column("soft warm red", "", "warm")
    tokens = encoder([titles, bodies]).numpy()
    assert tokens.shape == (3, 4)
    assert [words(encoder, row) for row in tokens] == ["red coat soft warm", "blue", "warm"]
    assert (tokens > 0).sum(axis=1).tolist() == [4, 1, 1]
    assert (tokens[:, 0] > 0).all()
    assert encoder([titles]).shape == (3, 2)


@pytest.mark.parametrize("tokenizer", ALL)
def test_nothing_to_say_is_all_padding(tokenizer):
    encoder = learnt(tokenizer)
    assert encoder([column("", " \t\n", b"\xff"), column("", "", "")]).numpy().tolist() == [[0] * 12] * 3
    assert encoder([tf.zeros([0], tf.string), tf.zeros([0], tf.string)]).shape == (0, 12)


@pytest.mark.parametrize(
    ("tokenizer", "texts"),
    [
        ("word", []),
        ("wordpiece", ["", ""]),
        ("bytepair", ["  ", "\t"]),
        ("sentencepiece", ["\x01", "\ufffd"]),
        ("wordpiece", ["\u00a0", "\u200b"]),
    ],
)
def test_a_catalog_without_any_text_has_an_encoder_that_knows_nothing(tokenizer, texts):
    # Learning WordPiece on no text ended in StopIteration.
    encoder = learnt(tokenizer, [texts])
    assert list(encoder.vocabulary) == ["[PAD]", "[UNK]"]
    assert encoder([column("red", "")]).numpy().tolist() == [[1, 0, 0, 0, 0, 0], [0] * 6]


@pytest.mark.parametrize("tokenizer", ALL)
def test_the_order_of_the_catalog_changes_no_token(tokenizer):
    mixed = random.Random(1).sample(TITLES, len(TITLES)), random.Random(2).sample(BODIES, len(BODIES))
    assert list(learnt(tokenizer).vocabulary) == list(learnt(tokenizer, mixed).vocabulary)


@pytest.mark.parametrize("tokenizer", ALL)
def test_a_row_is_tokenised_alike_alone_in_a_batch_and_in_a_pipeline(tokenizer):
    encoder = learnt(tokenizer)
    batch = encoder([column(*TITLES), column(*BODIES)]).numpy()
    alone = [
        encoder([column(title), column(body)]).numpy()[0] for title, body in zip(TITLES[:6], BODIES[:6], strict=True)
    ]
    assert np.array_equal(batch[:6], alone)
    data = tf.data.Dataset.from_tensor_slices((TITLES, BODIES)).batch(4).map(lambda *columns: encoder(list(columns)))
    assert np.array_equal(batch, np.concatenate(list(data.as_numpy_iterator())))


@pytest.mark.parametrize("tokenizer", ["word"])
def test_an_encoder_with_the_same_tokenizer_is_the_same(tokenizer):
    encoder = learnt(tokenizer)
    again = TextEncoder(encoder.tokenizer, encoder.max_tokens)
    columns = [column(*TITLES), column(*BODIES)]
    assert np.array_equal(encoder(columns), again(columns))


@pytest.mark.parametrize("tokenizer", ALL)
def test_a_saved_model_tokenises_bit_for_bit_like_the_encoder(tokenizer, tmp_path):
    encoder = learnt(tokenizer)
    module = tf.Module()
    module.table = encoder.table

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.string)])
    def serve(title, body):
        return {"tokens": encoder([title, body])}

    tf.saved_model.save(module, str(tmp_path), signatures={"serve": serve})
    lint_operations(tmp_path)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["serve"]
    titles = column("Red COAT\x00", b"caf\xe9", "", "longer blue shirts and more", "日本")
    bodies = column("", "warm, soft", "", "zzz", "and")
    assert np.array_equal(loaded(title=titles, body=bodies)["tokens"], encoder([titles, bodies]))


@pytest.mark.parametrize("tokenizer", ["word", "wordpiece"])
def test_what_stands_after_20_000_bytes_is_not_read(tokenizer):
    encoder = learnt(tokenizer)
    texts = [" " * 19_996 + "coat", " " * 19_997 + "coat", " " * 20_000 + "coat", " " * 19_999 + "é coat", "coat\0coat"]
    rows = encoder([column(*texts), column(*[""] * 5)]).numpy()
    assert words(encoder, rows[0]) == "coat"
    assert not rows[2:4].any()  # a character that is cut in two is a space
    assert words(encoder, rows[1]).replace(" ", "") != "coat"
    assert words(encoder, rows[4]) == "coat coat"


@pytest.mark.parametrize("tokenizer", ALL)
def test_hostile_texts_give_tokens_and_leave_their_neighbours_alone(tokenizer):
    encoder = learnt(tokenizer)
    hostile = ["a" * 1_000_000, "\0" * 50, b"\xf0\x28\x8c\x28", "&" * 5000, "<" * 5000, "六६Ġ▁##[PAD]", "😀" * 2000]
    rows = encoder([column(*hostile, "red coat"), column(*[""] * 8)]).numpy()
    assert words(encoder, rows[-1]) == "red coat"
    assert not rows[1].any()
    assert rows.min() >= 0
    assert rows.max() < len(encoder.vocabulary)


def test_columns_keep_as_many_tokens_as_each_is_allowed():
    config = TextConfig(tokenizer="word", max_tokens={"title": 1, "note": 3})
    columns = {"title": np.array(["a b"], object), "note": np.array(["c d e f"], object)}
    encoder = learn_text_encoder(config, columns)
    assert encoder.width(2) == 4
    (row,) = encoder([column("a b"), column("c d e f")]).numpy()
    assert words(encoder, row) == "a c d e"
    with pytest.raises(InputError, match=r"name each column of `data.catalog.text`: title\. Received: title, note\."):
        learn_text_encoder(config, {"title": columns["title"]})


def test_markup_is_gone_before_tokens_are_made():
    encoder = learnt("word", [["tea & co", "br amp 39"]])
    (row,) = encoder([column("<b>Tea</b>&nbsp;&amp;<br/>co&#39;")]).numpy()
    assert words(encoder, row) == "tea co"


def test_a_line_break_inside_a_tag_does_not_keep_the_tag():
    assert normalise(tf.constant(["a<img\n\tsrc='x.jpg'>b"])).numpy().tolist() == [b"a b"]
