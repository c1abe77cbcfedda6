"""The base class of signatures: a serving function with its inputs, an example request, and the call of a client."""

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
"""A request of one row: an array [1], or [1, W], by input."""


@dataclass(frozen=True)
class Sample:
    """A history, its context and an item, of which example requests are made.

    Attributes:
      history: str objects [1, L], item ids, oldest first.
      context: the raw inputs beside the history, by name; first dimension 1.
      item: the raw fields of an item by input, first dimension 1.
    """

    history: np.ndarray
    context: Example = field(default_factory=dict)
    item: Example = field(default_factory=dict)


class Signature:
    """A serving function of an export. Derive from this class to add one, and name the class in `export.signatures`.

    An export makes one object of each class. Variables and tables that the function needs are made in the constructor:
    `self.prices = serving.keep(tf.Variable(...))`.

    Args:
      serving: the module that all signatures share.

    Attributes:
      name: the name of the signature: letters, digits and "_", a letter first.
    """

    name = ""

    def __init__(self, serving: ServingModule):
        self.serving = serving

    def inputs(self) -> Mapping[str, tf.TensorSpec] | None:
        """Returns the inputs by name; the first dimension of each is the batch. None: the model cannot serve this."""
        raise NotImplementedError

    def __call__(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers B rows, with operations of core TensorFlow only; rows must not depend on each other, and B may be 0.

        Args:
          **inputs: a tensor for each of `inputs`, by name; first dimension B.

        Returns:
          The outputs by name; first dimension B.
        """
        raise NotImplementedError

    def example(self, sample: Sample) -> Example:
        """Returns a request of one row, which a server replays when it loads the model and users can start from.

        Args:
          sample: a history, its context and an item of the catalog.

        Returns:
          An array for each of `inputs`, by name; first dimension 1.
        """
        raise NotImplementedError

    @property
    def client_call(self) -> str:
        """The Python call that asks this signature, where `shop` is `mmrec.load(folder)`; for the model card."""
        return f'shop.call("{self.name}", inputs)'


class Served(NamedTuple):
    """A signature in an export.

    Attributes:
      function: the traced function; takes its inputs by name.
      example: a request, for warm-up and sample requests.
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
    """Traces a signature into a function whose inputs have these names."""
    return tf.function(lambda **raw: signature(**raw), autograph=False).get_concrete_function(
        **{name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()}
    )
