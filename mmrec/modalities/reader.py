"""What stands before a tower in an export: raw inputs of items to the features that training used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf

STRINGS = tf.TensorSpec([None], tf.string)

Raw = Mapping[str, tf.Tensor]


class Read(NamedTuple):
    """The features of B items, read from raw inputs.

    Attributes:
      features: what the tower reads; first dimension B.
      present: bool [B], whether an item has usable content.
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
        """Reads the raw inputs; a fault in one row changes no other row.

        Args:
          raw: `inputs` by name; first dimension B.

        Returns:
          Features, presence and status of each item.
        """
        ...
