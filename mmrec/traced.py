"""Turns a function into a TensorFlow graph, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import tensorflow as tf


def traced(function: Callable, signature: Sequence[Any], autograph: bool = True) -> Callable:
    """Returns a function that becomes a graph at its first call, and is that graph from then on.

    A process that trains several models makes one of these for each. With a `tf.function` in its place, TensorFlow
    would warn after five models that it is retraced too often. As an attribute of a `tf.Module` it is not saved with
    the module.

    Args:
      function: takes and returns tensors, or nested dicts and lists of them.
      signature: a `tf.TensorSpec`, or a nested structure of them, for each argument; arrays are accepted too.
      autograph: whether Python's `if` and loops in it are translated.
    """
    graph = cache(lambda: tf.function(function, signature, autograph).get_concrete_function())
    return lambda *inputs: graph()(*inputs)
