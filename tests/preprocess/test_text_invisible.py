import pytest
import tensorflow as tf

from mmrec.preprocess.text_invisible import remove_invisible


def clean(text):
    return remove_invisible(tf.constant([text])).numpy()[0].decode()


@pytest.mark.parametrize(
    "character",
    [
        *"\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064",
        *"\u2066\u2067\u2068\u2069\u206a\u206f\ufeff\ufff9\ufffa\ufffb\U0001d173\U000e0001\U000e0041\U000e007f",
    ],
    ids=ascii,
)
def test_format_characters_are_removed(character):
    assert clean(f"wire{character}less {character}mug{character}") == "wireless mug"


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner inside the word
        "\u0915\u094d\u200d\u0937 \u0915\u094d\u200c\u0937",  # Hindi
        "\u09b0\u200d\u09cd\u09af",  # Bengali
        "\u0d28\u0d4d\u200d",  # Malayalam
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\u2764\ufe0f\u200d\U0001f525",  # a heart on fire
        "\U0001f469\U0001f3fd\u200d\U0001f52c",  # a scientist, with a skin tone
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England
        "\u0661\u06dd",  # a sign around a number, which is seen
        "plain caf\u00e9",
        "",
    ],
    ids=ascii,
)
def test_what_shapes_emoji_or_letters_or_is_seen_stays(text):
    assert clean(text) == text
