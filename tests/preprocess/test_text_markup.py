import pytest
import tensorflow as tf

from mmrec.preprocess.text_markup import strip_markup


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Salt &amp; pepper", "Salt & pepper"),
        ("it&#39;s it&#x27;s it&apos;s", "it's it's it's"),
        ("caf&eacute; &uuml;ber 5&nbsp;&euro; &frac12;", "café über 5\u00a0€ ½"),
        ("&#x2764;&#X1F600;&#20013;", "❤😀中"),
        ("AT&T, R&D; a&b &nope; &", "AT&T, R&D; a&b &nope; &"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),  # decoded once
        ("&#xD800;&#9999999;&#1114112;", "\ufffd\ufffd\ufffd"),  # no characters
        ("red<br/>mug<BR>cup", "red mug cup"),
        ('<p class="a > b" id=x>Tea</p>', " Tea "),
        ("<b>Tea</b> <!-- a < b --> pot", " Tea    pot"),
        ("a<script>if (x<y) {}</script>b<style>p {}</style>c", "a b c"),
        ("&lt;b&gt;bold&lt;/b&gt;", " bold "),  # escaped tags are tags, too
        ("3 < 5 and 6 > 4", "3 < 5 and 6 > 4"),
        ("a<b and c>d <3 <- x <unknown>", "a<b and c>d <3 <- x <unknown>"),
        ("", ""),
    ],
)
def test_entities_become_characters_and_tags_spaces(text, expected):
    assert strip_markup(tf.constant([text])).numpy()[0].decode() == expected


def test_each_text_is_read_alone():
    texts = tf.constant(["a &amp; b", "plain", "&lt;", "", "<i>x</i>"])
    graph = tf.function(strip_markup)
    assert graph(texts).numpy().tolist() == [strip_markup(text[tf.newaxis]).numpy()[0] for text in texts]
    assert graph(texts).numpy().tolist() == [b"a & b", b"plain", b"<", b"", b" x "]
    assert graph(tf.zeros([0], tf.string)).shape == (0,)
