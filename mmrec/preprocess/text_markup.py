"""HTML in texts: tags become spaces, entities the characters that they name; core operations only."""

from __future__ import annotations

from html.entities import name2codepoint

import tensorflow as tf

# A tag needs the name of an HTML element, and its attributes values: "3 < 5", "a<b and c>d" and "<3" stay as they are.
_ELEMENTS = (
    "a|abbr|article|aside|b|big|blockquote|body|br|center|cite|code|col|dd|del|details|div|dl|dt|em|figcaption|figure|"
    "font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|option|p|"
    "picture|pre|q|s|samp|section|select|small|source|span|strike|strong|sub|summary|sup|svg|table|tbody|td|textarea|"
    "tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr"
)
_ATTRIBUTES = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))*"""
_TAG = rf"(?is)</?(?:{_ELEMENTS}){_ATTRIBUTES}\s*/?>|<!--.*?-->|<script\b.*?</script\s*>|<style\b.*?</style\s*>"
_ENTITY = r"&((?:[a-zA-Z]{2,8}[0-9]{0,2})|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});"
_MARK, _END = "\x01", "\x02"  # stand around entities while they are decoded; the texts hold no control characters

_NAMED = {"apos": 0x27} | name2codepoint
_NAMES, _CODES = list(_NAMED), list(_NAMED.values())


def strip_markup(text: tf.Tensor) -> tf.Tensor:
    """Decodes entities, once, and puts a space in the place of tags, comments, scripts and styles.

    All HTML 4 entities by name (`&eacute;`), decimal (`&#39;`) and hexadecimal (`&#x27;`) ones are known, with their
    semicolon; other text that begins with `&` stays. Escaped tags (`&lt;br&gt;`) are tags too.

    Args:
      text: string [B], valid UTF-8 without control characters.

    >>> strip_markup(tf.constant(["Salt &amp; pepper<br/>3 < 5"])).numpy().tolist()
    [b'Salt & pepper 3 < 5']
    """
    places = tf.where(tf.strings.regex_full_match(text, rf"(?s).*{_ENTITY}.*"))  # few: the others cost one look
    text = tf.tensor_scatter_nd_update(text, places, _decode_entities(tf.gather_nd(text, places)))
    return tf.strings.regex_replace(text, _TAG, " ")


def _decode_entities(text: tf.Tensor) -> tf.Tensor:
    marked = tf.strings.regex_replace(text, _ENTITY, rf"{_END}{_MARK}\1{_END}")
    parts = tf.strings.split(marked, _END)  # [B, P], those that begin with the mark are entities
    places = tf.where(tf.strings.substr(parts.flat_values, 0, 1) == _MARK)  # [E, 1]
    characters = _characters(tf.strings.substr(tf.gather_nd(parts.flat_values, places), 1, 9))
    decoded = tf.tensor_scatter_nd_update(parts.flat_values, places, characters)
    return tf.strings.reduce_join(parts.with_flat_values(decoded), axis=1)


def _characters(names: tf.Tensor) -> tf.Tensor:
    """Entity names without `&` and `;` (string [E]) to what they stand for; unknown ones to what was written."""
    is_hex = tf.strings.regex_full_match(names, "#[xX].*")
    digits = tf.strings.regex_replace(names, "#[xX]?", "")
    # The last seven digits, `0` before them: core TensorFlow reads no hexadecimal numbers.
    digits = tf.strings.substr(tf.strings.join(["0000000", digits]), -7, 7)
    values = tf.cast(tf.io.decode_raw(tf.strings.lower(digits), tf.uint8, fixed_length=7), tf.int32)  # [E, 7]
    values -= tf.where(values > 57, 87, 48)  # `a` is 97, `0` is 48
    base = tf.where(is_hex, 16, 10)[:, tf.newaxis]
    number = tf.reduce_sum(values * base ** tf.range(6, -1, -1), axis=1)
    same = names[:, tf.newaxis] == tf.constant(_NAMES)  # [E, 253]
    named = tf.gather(_CODES, tf.argmax(same, axis=1, output_type=tf.int32))
    numeric = tf.strings.substr(names, 0, 1) == "#"
    code = tf.where(numeric, number, named)
    character = tf.strings.unicode_encode(code[:, tf.newaxis], "UTF-8", errors="replace")
    return tf.where(numeric | tf.reduce_any(same, axis=1), character, tf.strings.join(["&", names, ";"]))
