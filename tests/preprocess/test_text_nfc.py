import random
import unicodedata

import pytest
import tensorflow as tf

from mmrec.preprocess.text_nfc import compose

VOCABULARY = "Áo thun cổ tròn ệ|ᾧ ΐ Ώ|각 한글 힣|क़ ক়ো ொ ೋ ൌ ෝ|בּ שּׁ|آ أ ۀ|Å Ω \u2126 \u212b \uf900 \u2000 \U0002f801"


def composed(*texts):
    return [text.decode() for text in compose(tf.constant(list(texts))).numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301", "caf\u00e9"),
        ("e\u0302\u0323\u0301", "\u1ec7\u0301"),  # the dot below comes first, then nothing composes with the acute
        ("\u1ebf\u0323", "\u1ec7\u0301"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00"),
        ("\uac00\u11a8", "\uac01"),
        ("\u03c9\u0345\u0314\u0342", "\u1fa7"),
        ("\u0628\u064e\u0651", "\u0628\u064e\u0651"),  # Arabic: fatha (30) before shadda (33)
        ("\u0628\u0651\u064e", "\u0628\u064e\u0651"),
        ("\u05e9\u05b8\u05c1\u05bc", "\u05e9\u05b8\u05bc\u05c1"),  # Hebrew: 18, 21, 24
        ("\u0cc6\u0cc2\u0cd5", "\u0ccb"),  # Kannada: a vowel of three parts
        ("\u0958", "\u0915\u093c"),  # never composed
        ("\u0301e\u0301", "\u0301\u00e9"),  # nothing to compose with at the start
        ("red mug", "red mug"),
        ("", ""),
    ],
    ids=ascii,
)
def test_letters_and_marks_compose(text, expected):
    assert composed(text) == [expected]
    assert unicodedata.normalize("NFC", text) == expected


def test_drawn_texts_are_those_of_unicodedata():
    draw = random.Random(0)
    letters = [*VOCABULARY, *unicodedata.normalize("NFD", VOCABULARY)]
    marks = [chr(code) for code in range(0x300, 0x20000) if unicodedata.combining(chr(code))]
    texts = ["".join(draw.choices(letters, k=8) + draw.choices(marks, k=4)) for _ in range(2000)]
    texts = ["".join(draw.sample(text, len(text))) for text in texts]
    assert composed(*texts) == [unicodedata.normalize("NFC", text) for text in texts]


def test_every_character_and_its_parts_are_those_of_unicodedata():
    characters = [chr(code) for code in [*range(1, 0xD800), *range(0xE000, 0x20000), *range(0x2F800, 0x2FA20)]]
    parts = [unicodedata.normalize("NFD", character) for character in characters]
    for texts in (characters, parts):
        assert composed(*texts) == [unicodedata.normalize("NFC", text) for text in texts]


def test_marks_beyond_the_30th_are_put_in_order_but_not_composed():
    assert composed("a" + "\u0301" * 9000 + "\u0323") == ["\u1ea1" + "\u0301" * 9000]
    assert composed("\u1161" + "a" + "\u0334" * 30 + "\u0301") == ["\u1161" + "a" + "\u0334" * 30 + "\u0301"]


def test_each_text_is_composed_alone():
    texts = ["e", "\u0301", "e\u0301", "", "\u1100", "\u1161"]
    assert composed(*texts) == ["e", "\u0301", "\u00e9", "", "\u1100", "\u1161"]
    assert tf.function(compose)(tf.zeros([0], tf.string)).shape == (0,)
