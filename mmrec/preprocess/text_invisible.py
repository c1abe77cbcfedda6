"""Removes invisible characters, such as soft hyphens, which make equal words differ."""

from __future__ import annotations

import tensorflow as tf

_JOINERS = r"\x{200C}\x{200D}"
# Scripts whose letters a joiner shapes or parts: Arabic and its like, and those that come from Brahmi.
_JOINED = (
    r"\x{600}-\x{DFF}\x{F00}-\x{109F}\x{1780}-\x{18AF}\x{1900}-\x{1CFF}\x{A800}-\x{ABFF}\x{FB50}-\x{FDFF}"
    r"\x{FE70}-\x{FEFC}\x{10A00}-\x{11FFF}"
)
_EMOJI = r"\p{So}\p{Sk}\x{FE0F}\x{1F000}-\x{1FAFF}"
_FLAG = r"\x{1F3F4}[\x{E0020}-\x{E007E}]+\x{E007F}"  # such as Scotland's: a black flag and tags
# All of Unicode's format characters but joiners, and those that are seen: signs around Arabic and Indic numbers,
# and hieroglyphs' places.
_INVISIBLE = (
    r"\x{AD}\x{61C}\x{180E}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{206F}\x{FEFF}\x{FFF9}-\x{FFFB}"
    r"\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}\x{E0001}\x{E0020}-\x{E007F}"
)


def remove_invisible(text: tf.Tensor) -> tf.Tensor:
    """Removes format characters; joiners stay after emoji and the letters of scripts that use them, tags in flags.

    Args:
      text: string [B], valid UTF-8.

    >>> remove_invisible(tf.constant(["wire\\u00adless\\u200b \\ufeffmug"])).numpy()[0].decode()
    'wireless mug'
    """
    kept = rf"[{_JOINED}][{_JOINERS}]|[{_EMOJI}]\x{{200D}}|{_FLAG}"
    return tf.strings.regex_replace(text, rf"({kept})|[{_INVISIBLE}{_JOINERS}]", r"\1")
