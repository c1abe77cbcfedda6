"""Removes HTML from texts: tags become spaces, entities their characters; core operations only."""

from __future__ import annotations

import tensorflow as tf

from mmrec.preprocess.text_entities import decode_entities

# As for a parser of HTML, a tag is a `<` with a letter or `/` right after it, whatever its name: "3 < 5" and "<3" stay.
# A parser takes more for tags. Here only single words may stand before the first `=` or the `>`; elements of one letter
# are those of HTML; and right behind a word, a name with words alone is one of HTML or has a `-` or `:`. So
# "a<b and c>d", "width<height and so>on", "size <M>" and "<me@x.com>" stay.
_LETTER = "[abgipqsu]"
_ELEMENTS = (
    "abbr|article|aside|audio|big|blockquote|body|br|button|canvas|caption|center|cite|code|col|dd|del|details|div|dl|dt|"
    "em|embed|fieldset|figcaption|figure|font|footer|form|h1|h2|h3|h4|h5|h6|head|header|hr|html|iframe|img|input|ins|kbd|"
    "label|legend|li|link|main|mark|meta|nav|noscript|object|ol|optgroup|option|param|path|picture|pre|samp|script|"
    "section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|"
    "thead|time|title|tr|tt|ul|var|video|wbr"
)
_CUSTOM = r"[a-z]\w*(?:\w-|:)[\w:.-]*"
_NAME = r"[a-z][\w:.-]+"
_ATTRIBUTE = r"[\w@:#*.\[\]()-]+"
_WORDS = rf"(?:\s+{_ATTRIBUTE})*"
_QUOTED = r"""=\s*(?:"[^"]*"|'[^']*')"""
_VALUES = rf"{_WORDS}\s*(?:{_QUOTED}|=)(?:{_QUOTED}|[^<>])*"
_MARKUP = "(?is)" + "|".join(
    [
        r"<!--.*?(?:--!?>|$)",
        *(rf"<{name}(?:\s(?:[^>]*[^/>])?)?>.*?(?:</{name}\s*>|$)" for name in ("script", "style")),
        r"<!\[CDATA\[|\]\]>",  # what stands between is text
        r"<[!?][^>]*>",  # <!DOCTYPE html>, <?xml version="1.0"?>
        r"</[a-z][^<>]*>",
        rf"<(?:{_NAME}|{_LETTER})(?:{_VALUES})?\s*/?>",
        rf"(?:<(?:{_ELEMENTS}|{_CUSTOM})|\B<{_NAME}){_WORDS}\s*/?>",
    ]
)
# Where a text was cut, a tag may be left without its end: with a value, or no more than a part of an element's name.
_NAMES = _ELEMENTS.split("|")
_BEGUN = "|".join(sorted({name[:size] for name in _NAMES for size in range(2, len(name) + 1)}, reverse=True))
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>=]+)"""
_OPEN = r"""(?:"[^"]*|'[^']*)?"""
_MORE = rf"(?:\s*{_ATTRIBUTE}(?:\s*=\s*{_VALUE})?)*(?:\s*=)?"
_DOUBTFUL = "(?is)" + "|".join(
    [
        r"</(?:[a-z][\w:.-]*)?\s*$",
        r"<[!?][a-z\[][^>]*$",
        rf"<(?:{_ELEMENTS}|{_LETTER}|{_CUSTOM}){_WORDS}\s+{_ATTRIBUTE}\s*=(?:\s*{_VALUE}{_MORE})?\s*{_OPEN}$",
        rf"<(?:{_BEGUN}|{_CUSTOM}){_WORDS}\s*/?$",
        # An element of one letter, with words alone or without end, is a formula behind a single letter.
        rf"(\w\w|\B)<{_LETTER}(?:{_WORDS}\s*/?>|(?:\s+[\w-]+)?\s*/?$)",
    ]
)


def strip_markup(text: tf.Tensor) -> tf.Tensor:
    """Decodes entities, once, and puts a space in the place of tags, comments, declarations, scripts and styles.

    Escaped tags (`&lt;br&gt;`) are tags too.

    Args:
      text: string [B], valid UTF-8 without control characters.

    >>> strip_markup(tf.constant(["Salt &amp; pepper<br/>3 < 5"])).numpy().tolist()
    [b'Salt & pepper 3 < 5']
    """
    places = tf.where(tf.strings.regex_full_match(text, r"(?s).*[<&].*"))  # few: the others cost one look
    some = decode_entities(tf.gather_nd(text, places))
    some = tf.strings.regex_replace(tf.strings.regex_replace(some, _MARKUP, " "), _DOUBTFUL, r"\1 ")
    return tf.tensor_scatter_nd_update(text, places, some)
