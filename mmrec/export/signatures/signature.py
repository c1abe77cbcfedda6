"""The contract of a signature: a serving function with its inputs, an example request and the client's call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from mmrec.export.serving_module import ServingModule

STRINGS, LISTS_OF_STRINGS = tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None], tf.string)
INTEGERS = tf.TensorSpec([None], tf.int32)

Example = Mapping[str, np.ndarray]
"""A request by input, one row: [1] or [1, W]."""


@dataclass(frozen=True)
class Sample:
    """What example requests are made of.

    Attributes:
      history: str objects [1, L], item ids, oldest first.
      context: the raw inputs beside it, by name; first dimension 1.
      item: the raw fields of an item by input, first dimension 1.
    """

    history: np.ndarray
    context: Example = field(default_factory=dict)
    item: Example = field(default_factory=dict)


class Signature:
    """One serving function. A class of one's own derives from this, and joins by `export.signatures`.

    An export makes one of each class. Tensors that do not follow from the inputs are made in the constructor:
    `self.prices = serving.keep(tf.Variable(...))`.

    Args:
      serving: what signatures share.

    Attributes:
      name: what it is called by; letters, digits and "_".
    """

    name = ""

    def __init__(self, serving: ServingModule):
        self.serving = serving

    def inputs(self) -> Mapping[str, tf.TensorSpec] | None:
        """Returns the inputs by name, the first dimension of each the batch; None: the model lacks what it needs."""
        raise NotImplementedError

    def __call__(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers B rows in core TensorFlow operations; a row changes no other row, and B may be 0."""
        raise NotImplementedError

    def example(self, sample: Sample) -> Example:
        """Returns a request of one row that a server replays at load, and that users start from."""
        raise NotImplementedError

    @property
    def client_call(self) -> str:
        """What asks it in Python, where `shop` is `mmrec.load(folder)`."""
        return f'shop.call("{self.name}", inputs)'


class Served(NamedTuple):
    """A signature in an export.

    Attributes:
      function: takes its inputs by name.
      example: what it is asked for, for warm-up and sample requests.
      client_call: see `Signature.client_call`.
    """

    function: tf.types.experimental.ConcreteFunction
    example: Example
    client_call: str

    @property
    def inputs(self) -> Mapping[str, tf.TensorSpec]:
        """The inputs by name."""
        return self.function.structured_input_signature[1]


def trace(signature: Signature, inputs: Mapping[str, tf.TensorSpec]) -> tf.types.experimental.ConcreteFunction:
    """Makes the function of a signature, its inputs named."""
    return tf.function(lambda **raw: signature(**raw), autograph=False).get_concrete_function(
        **{name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()}
    )
