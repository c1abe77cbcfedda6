"""Replaces HTML entities by their characters; core operations only."""

from __future__ import annotations

from functools import cache
from html.entities import html5

import numpy as np
import tensorflow as tf

from mmrec.preprocess.sorted_keys import find_sorted

_ENTITY = r"&([a-zA-Z][a-zA-Z0-9]{1,31}[;=]?|#[0-9]+;?|#[xX][0-9a-fA-F]+;?)"
_MARK, _END = "\x01", "\x02"  # stand around entities while they are decoded; the texts hold no control characters
_DIGITS = 7  # of the largest code point, and of all numbers that are read
_NONE = 0xFFFD  # stands for what is no character
# Numbers from 128 to 159 are meant as those of Windows, as browsers read them.
_WINDOWS = [ord(bytes([code]).decode("cp1252", "replace")) for code in range(128, 160)]


def decode_entities(text: tf.Tensor) -> tf.Tensor:
    """Decodes entities, once, as `html.unescape` does; other text that begins with `&` stays.

    Names of HTML 5 (`&eacute;`), decimal (`&#39;`) and hexadecimal (`&#x27;`) numbers; without semicolon numbers, and
    the names for which HTML allows it (`&nbsp`), unless letters, digits or `=` follow, as in addresses.

    Args:
      text: string [B], valid UTF-8 without control characters.

    >>> decode_entities(tf.constant(["Salt &amp; pepper &#189; &half"])).numpy()[0].decode()
    'Salt & pepper ½ &half'
    """
    marked = tf.strings.regex_replace(text, _ENTITY, rf"{_END}{_MARK}\1{_END}")
    parts = tf.strings.split(marked, _END)  # [B, P], those that begin with the mark are entities
    places = tf.where(tf.strings.substr(parts.flat_values, 0, 1) == _MARK)  # [E, 1]
    names = tf.strings.regex_replace(tf.gather_nd(parts.flat_values, places), _MARK, "")
    decoded = tf.tensor_scatter_nd_update(parts.flat_values, places, _characters(names))
    return tf.strings.reduce_join(parts.with_flat_values(decoded), axis=1)


def _characters(names: tf.Tensor) -> tf.Tensor:
    """Entities without `&` (string [E]) to what they stand for; unknown ones to what was written."""
    hashes, named, characters = _named()
    place, _ = find_sorted(hashes, _hash(names))
    is_named = tf.gather(named, place) == names
    character = tf.where(is_named, tf.gather(characters, place), tf.strings.join(["&", names]))
    is_number = tf.strings.substr(names, 0, 1) == "#"
    return tf.where(is_number, tf.strings.unicode_encode(_numbers(names)[:, tf.newaxis], "UTF-8"), character)


def _numbers(names: tf.Tensor) -> tf.Tensor:
    """Entities such as `#38;` and `#x26` to code points, int32 [E]; other names to any number."""
    base = tf.where(tf.strings.regex_full_match(names, "#[xX].*"), 16, 10)[:, tf.newaxis]
    digits = tf.strings.regex_replace(names, "#[xX]?0*|;", "")
    fits = tf.strings.length(digits) <= _DIGITS
    digits = tf.strings.substr(tf.strings.join(["0" * _DIGITS, digits]), -_DIGITS, _DIGITS)
    # Core TensorFlow reads no hexadecimal numbers.
    values = tf.cast(tf.io.decode_raw(tf.strings.lower(digits), tf.uint8, fixed_length=_DIGITS), tf.int32)  # [E, 7]
    values -= tf.where(values > 57, 87, 48)  # `a` is 97, `0` is 48
    code = tf.reduce_sum(values * base ** tf.range(_DIGITS - 1, -1, -1), axis=1)
    of_windows = (code >= 128) & (code < 160)
    code = tf.where(of_windows, tf.gather(_WINDOWS, tf.where(of_windows, code - 128, 0)), code)
    return tf.where(fits & (code > 0), code, _NONE)


def _hash(names: tf.Tensor) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(names, 2**62)  # the same on every machine and for ever, says TensorFlow


@cache
def _named() -> tuple[np.ndarray, list[str], list[str]]:
    """Returns the hashes of all names, sorted, with the names and what they stand for."""
    with tf.init_scope():  # now, not in a graph that is being built
        hashes = _hash(tf.constant([*html5])).numpy()
    order = np.argsort(hashes)
    names, characters = np.array([*html5], object)[order], np.array([*html5.values()], object)[order]
    return hashes[order], names.tolist(), characters.tolist()
