import html
from html.entities import html5

import pytest
import tensorflow as tf

from mmrec.preprocess.text_entities import decode_entities


def decode(*texts):
    return [text.decode() for text in decode_entities(tf.constant(list(texts))).numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Salt &amp; pepper", "Salt & pepper"),
        ("it&#39;s it&#x27;s it&apos;s", "it's it's it's"),
        ("caf&eacute; &uuml;ber 5&nbsp;&euro; &frac12; &check;", "café über 5\u00a0€ ½ ✓"),
        ("&#x2764;&#X1F600;&#20013;&#000000000038;", "❤😀中&"),
        ("AT&T, R&D; a&b &nope; & &; &#; &#x;", "AT&T, R&D; a&b &nope; & &; &#; &#x;"),
        ("&amp;lt; &amp;amp;", "&lt; &amp;"),  # decoded once
        ("&#xD800;&#9999999;&#1114112;&#123456789012;&#0;", "\ufffd" * 5),  # no characters
        ("salt &amp pepper&nbsp&copy; &#38 &lt", "salt & pepper\u00a0© & <"),
        ("?a=1&copy=2&ampx", "?a=1&copy=2&ampx"),  # an address
        ("&#146;&#x80;", "’€"),  # numbers of Windows
        ("", ""),
    ],
)
def test_entities_become_characters(text, expected):
    assert decode(text) == [expected]


def test_all_names_are_those_of_python():
    texts = [f"a &{name} b" for name in html5]
    assert decode(*texts) == [html.unescape(text) for text in texts]
    assert len(texts) == 2231


def test_numbers_are_read_as_python_reads_them():
    texts = [form.format(code) for code in range(160, 0xFDD0, 7) for form in ("&#{};", "&#x{:x};", "&#X{:06X}")]
    assert decode(*texts) == [html.unescape(text) for text in texts]


def test_thousands_of_entities_in_one_text_are_decoded():
    # Each was once compared with all names.
    assert decode("&amp;" * 4000, "x", "&#39;&nope;" * 1800) == ["&" * 4000, "x", "'&nope;" * 1800]
