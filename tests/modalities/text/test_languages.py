"""Languages of real sentences; short texts and names have none."""

import pytest

from mmrec.modalities.text.languages import language_shares

SENTENCES = {
    "en": "A warm winter coat made of soft wool, with two deep pockets and a hood.",
    "de": "Ein warmer Wintermantel aus weicher Wolle, mit zwei tiefen Taschen und einer Kapuze.",
    "fr": "Un manteau d'hiver chaud en laine douce, avec deux poches profondes et une capuche.",
    "zh": "一件柔软羊毛制成的保暖冬季外套，带有两个深口袋和一个兜帽。",
    "ru": "Тёплое зимнее пальто из мягкой шерсти с двумя глубокими карманами и капюшоном.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_has_its_language(language):
    assert language_shares([SENTENCES[language]]) == {language: 1.0}


@pytest.mark.parametrize(
    "text", ["red mug", "1234567890 1234567890", "Canon EOS 5D Mark IV DSLR Camera Body", "?! " * 20]
)
def test_short_texts_numbers_and_names_are_unsure(text):
    assert language_shares([text]) == {"unsure": 1.0}


def test_shares_are_of_the_texts_that_are_not_blank_and_unsure_ones_come_last():
    texts = [*[SENTENCES["de"]] * 3, *[SENTENCES["ru"]] * 2, *["mug"] * 5, "", "  "]
    assert list(language_shares(texts).items()) == [("de", 0.3), ("ru", 0.2), ("unsure", 0.5)]
    assert language_shares(["", " "]) == {}


def test_a_language_of_less_than_one_text_in_a_hundred_is_a_mistake():
    english = [SENTENCES["en"]]
    assert language_shares([*english * 99, SENTENCES["fr"]]) == {"en": 0.99, "fr": 0.01}
    assert language_shares([*english * 199, SENTENCES["fr"]]) == {"en": 0.995, "unsure": 0.005}


def test_of_a_long_text_the_beginning_is_read():
    assert language_shares([SENTENCES["fr"] * 6 + SENTENCES["en"] * 90]) == {"fr": 1.0}
