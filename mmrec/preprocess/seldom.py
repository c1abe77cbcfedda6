"""Runs parts of a graph only for the few files that need them."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def seldom(*signature: tf.TensorSpec) -> Callable[[Callable], Callable]:
    """Decorates a function of the graph that few files need.

    Each operation of a branch costs time where the branch is not taken, too, unless it stands in a function of its own.

    Args:
      *signature: the tensors that the function takes.
    """
    return tf.function(input_signature=signature, autograph=False, experimental_attributes={"_noinline": True})
