"""The contract of a reader: raw inputs of items to the features that training used, inside an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf

STRINGS = tf.TensorSpec([None], tf.string)

Raw = Mapping[str, tf.Tensor]


class Read(NamedTuple):
    """What was read of B items.

    Attributes:
      features: what the tower reads; first dimension B.
      present: bool [B], whether anything usable was given.
      status: int32 [B], the bits of `status` that say what was wrong; or 0.
    """

    features: dict[str, tf.Tensor]
    present: tf.Tensor
    status: tf.Tensor | int = 0


class Reader(Protocol):
    """Reads one modality.

    Attributes:
      inputs: the raw inputs by name.
      resources: variables and tables that the graph uses.
    """

    inputs: Mapping[str, tf.TensorSpec]
    resources: Sequence

    def __call__(self, raw: Raw) -> Read:
        """Reads `inputs`; a row's fault changes no other row."""
        ...
