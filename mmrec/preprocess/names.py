"""The plain form of names (see `values`) inside the graph."""

from __future__ import annotations

import tensorflow as tf

from mmrec.values import ZEROS

_BLANKS = r"^[\s\p{Z}]+|[\s\p{Z}]+$"  # what Python's strip takes away, too


def plain(names: tf.Tensor) -> tf.Tensor:
    """Returns strings of the same shape, as `values.plain` writes each.

    >>> plain(tf.constant([" 9.0 ", "1.10"])).numpy().tolist()
    [b'9', b'1.10']
    """
    return tf.strings.regex_replace(tf.strings.regex_replace(names, _BLANKS, ""), ZEROS, r"\1")
