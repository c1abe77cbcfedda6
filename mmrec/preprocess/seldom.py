"""Runs parts of a graph only for the few files that need them."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def seldom(*signature: tf.TensorSpec) -> Callable[[Callable], Callable]:
    """Decorates a function of the graph that few files need.

    The operations of a branch cost time even where it is not taken, unless they stand in a function of their own.

    Args:
      *signature: the tensors that the function takes.
    """
    return tf.function(input_signature=signature, autograph=False, experimental_attributes={"_noinline": True})
