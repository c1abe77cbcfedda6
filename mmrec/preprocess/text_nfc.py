"""Normalises texts to Unicode's NFC, so that a letter has the same bytes however it was typed; core operations only."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mmrec.preprocess.sorted_keys import find_sorted

_LAST = 0x30000  # code points from here on neither decompose nor compose
_SPAN = 2**21  # a pair of characters is one number: the first times this, plus the second
_SYLLABLES, _LEADING, _VOWELS, _TRAILING = 0xAC00, 0x1100, 0x1161, 0x11A7  # of Hangul, which composes by arithmetic
_MOST_MARKS = 30  # after a letter; Unicode's Stream-Safe Text Format, which bounds the work on a text, has no more


class _Tables(NamedTuple):
    """Of Unicode, as the Python that builds the graph knows it; keys are sorted."""

    changing: str  # characters without which a text is as it should be, as a class of RE2
    decomposed: np.ndarray  # int32 [D], the characters that decompose
    parts: np.ndarray  # int32 [D, 4], what they decompose to; -1 at the end
    marks: np.ndarray  # int32 [M], the characters with a combining class
    classes: np.ndarray  # int32 [M], that class
    pairs: np.ndarray  # int64 [P], two characters that compose, see `_pair`
    composites: np.ndarray  # int32 [P]
    seconds: np.ndarray  # int32 [S], second ones of pairs that have no combining class


def compose(text: tf.Tensor) -> tf.Tensor:
    """Returns the texts in NFC; marks beyond the 30th after a letter are put in order, but not composed with it.

    Args:
      text: string [B], valid UTF-8.

    Source: Unicode Standard Annex #15.

    >>> compose(tf.constant(["cafe\\u0301"])).numpy()[0].decode() == "caf\\u00e9"
    True
    """
    places = tf.where(tf.strings.regex_full_match(text, f"(?s).*[{_tables().changing}].*"))
    return tf.cond(
        tf.size(places) > 0,
        lambda: tf.tensor_scatter_nd_update(text, places, _compose(tf.gather_nd(text, places))),
        lambda: text,
    )


def _compose(text: tf.Tensor) -> tf.Tensor:
    tables, points = _tables(), tf.strings.unicode_decode(text, "UTF-8")
    # Decompose.
    place, whole = find_sorted(tables.decomposed, points.flat_values)
    alone = tf.pad(tf.expand_dims(points.flat_values, 1), [[0, 0], [0, 3]], constant_values=-1)
    parts = tf.where(tf.expand_dims(whole, 1), tf.gather(tables.parts, place), alone)  # [n, 4]
    is_part = tf.where(parts >= 0)  # [m, 2]
    codes, point = tf.gather_nd(parts, is_part), tf.unstack(is_part, 2, axis=1)[0]
    row = tf.searchsorted(points.row_splits, point, side="right")  # from 1
    # Put the marks that follow a letter in the order of their classes.
    place, is_mark = find_sorted(tables.marks, codes)
    rank = tf.where(is_mark, tf.gather(tables.classes, place), 0)
    run = row + tf.cumsum(tf.cast(rank == 0, tf.int32))  # grows with each row and letter
    order = tf.argsort(256 * tf.cast(run, tf.int64) + tf.cast(rank, tf.int64), stable=True)
    codes, rank = tf.gather(codes, order), tf.gather(rank, order)
    begins = (rank == 0) & ~_follows(codes)
    codes = _join(codes, rank, row + tf.cumsum(tf.cast(begins, tf.int32)))
    kept = tf.where(codes >= 0)
    codes, row = tf.gather_nd(codes, kept), tf.gather_nd(row, kept)
    rows = points.nrows(tf.int32)
    ends = tf.searchsorted(row, tf.range(rows + 1), side="right")
    return tf.strings.unicode_encode(tf.RaggedTensor.from_row_splits(codes, ends, validate=False), "UTF-8")


def _join(codes: tf.Tensor, rank: tf.Tensor, run: tf.Tensor) -> tf.Tensor:
    """Composes letters with what follows them; what was taken up becomes -1.

    All letters take their first follower at once, then all their second one.

    Args:
      codes: int32 [m], decomposed and in order.
      rank: int32 [m], combining classes.
      run: int32 [m], ascending; equal for a letter and what follows it.
    """
    lengths = tf.unique_with_counts(run)[2]
    starts = tf.cumsum(lengths, exclusive=True)
    long = tf.where(lengths > 1)
    starts, lengths = tf.gather_nd(starts, long), tf.gather_nd(lengths, long)

    def more(step, *_):
        return (step <= _MOST_MARKS) & tf.reduce_any(step < lengths)

    def join(step, codes, base, last):
        # `base`: where the letter stands; `last`: the class of the last mark that stayed behind it, -1: none.
        at = starts + tf.minimum(step, lengths - 1)
        goes_on, class_ = step < lengths, tf.gather(rank, at)
        whole = _pair(tf.gather(codes, base), tf.gather(codes, at))
        joins = goes_on & (whole >= 0) & (last < class_)
        joined = tf.where(joins)
        replaced, removed = tf.gather(base, joined), tf.gather(at, joined)  # [j, 1]
        codes = tf.tensor_scatter_nd_update(codes, replaced, tf.gather_nd(whole, joined))
        codes = tf.tensor_scatter_nd_update(codes, removed, -tf.ones_like(tf.squeeze(removed, 1)))
        is_letter = goes_on & ~joins & (class_ == 0)
        last = tf.where(is_letter, -1, tf.where(joins | ~goes_on, last, class_))
        return step + 1, codes, tf.where(is_letter, at, base), last

    return tf.while_loop(more, join, [1, codes, starts, -tf.ones_like(starts)])[1]


def _pair(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    """Returns what two characters compose to, int32; -1: they do not."""
    tables = _tables()
    place, composes = find_sorted(tables.pairs, _SPAN * tf.cast(first, tf.int64) + tf.cast(second, tf.int64))
    syllable = _SYLLABLES + ((first - _LEADING) * 21 + second - _VOWELS) * 28
    opens = _between(first, _LEADING, 19) & _between(second, _VOWELS, 21)
    closes = _between(first, _SYLLABLES, 11172) & ((first - _SYLLABLES) % 28 == 0) & _between(second, _TRAILING + 1, 27)
    hangul = tf.where(opens, syllable, tf.where(closes, first + second - _TRAILING, -1))
    return tf.where(composes, tf.gather(tables.composites, place), hangul)


def _follows(codes: tf.Tensor) -> tf.Tensor:
    """Returns whether characters without combining class may compose with the one before."""
    return find_sorted(_tables().seconds, codes)[1] | _between(codes, _VOWELS, 21) | _between(codes, _TRAILING + 1, 27)


def _between(codes: tf.Tensor, first: int, count: int) -> tf.Tensor:
    return (codes >= first) & (codes < first + count)


@cache
def _tables() -> _Tables:
    normal, parts, classes, pairs = unicodedata.normalize, {}, {}, {}
    changing = [*range(_VOWELS, _VOWELS + 21), *range(_TRAILING + 1, _TRAILING + 28)]
    for code in range(_LAST):
        character = chr(code)
        rank, decomposed = unicodedata.combining(character), normal("NFD", character)
        if rank:
            classes[code] = rank
        if decomposed != character and not _SYLLABLES <= code < _SYLLABLES + 11172:
            parts[code] = [*map(ord, decomposed)]
            if normal("NFC", character) == character:
                first, second = unicodedata.decomposition(character).split()
                pairs[_SPAN * int(first, 16) + int(second, 16)] = code
        if rank or normal("NFC", character) != character:
            changing.append(code)
    seconds = sorted({pair % _SPAN for pair in pairs} - classes.keys())
    ordered = sorted(pairs)
    return _Tables(
        _ranges(sorted({*changing, *seconds})),
        np.array([*parts], np.int32),
        np.array([[*codes, -1, -1, -1][:4] for codes in parts.values()], np.int32),
        np.array([*classes], np.int32),
        np.array([*classes.values()], np.int32),
        np.array(ordered, np.int64),
        np.array([pairs[pair] for pair in ordered], np.int32),
        np.array(seconds, np.int32),
    )


def _ranges(codes: list[int]) -> str:
    """Returns sorted characters as ranges of RE2."""
    runs = [[code for _, code in run] for _, run in groupby(enumerate(codes), lambda one: one[1] - one[0])]
    return "".join(rf"\x{{{run[0]:X}}}-\x{{{run[-1]:X}}}" for run in runs)
