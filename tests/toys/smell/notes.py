"""Parses smells into numbers, in Python for the catalog and in the graph for the export."""

import re

import numpy as np
import tensorflow as tf

_NOTE = re.compile(r"(\w+):(\d+(?:\.\d+)?)")


def parse(text: str, scents: tuple[str, ...]) -> np.ndarray:
    """Returns float32 [F], how strong each of F notes is.

    Raises:
      ValueError: with the rule that a word breaks.

    >>> parse("rose:0.7 musk:0.2", ("musk", "rose", "oak")).tolist()
    [0.20000000298023224, 0.699999988079071, 0.0]
    """
    strength = np.zeros(len(scents), np.float32)
    for word in text.split():
        note = _NOTE.fullmatch(word)
        if note is None or note[1] not in scents:
            raise ValueError(f"must be notes with their strengths, such as {scents[0]}:0.5. Received: {word!r}")
        strength[scents.index(note[1])] = float(note[2])
    return strength


def parse_in_graph(texts: tf.Tensor, scents: tuple[str, ...]) -> tf.Tensor:
    """Returns float32 [B, F] of texts, string [B]; words that break the rule are left out."""
    columns = []
    for note in scents:
        pattern = rf"(?s)^(?:.*\s)?{note}:([0-9]+(?:\.[0-9]+)?)(?:\s.*)?$"
        has = tf.strings.regex_full_match(texts, pattern)
        columns.append(tf.strings.to_number(tf.where(has, tf.strings.regex_replace(texts, pattern, r"\1"), "0")))
    return tf.stack(columns, axis=1)
