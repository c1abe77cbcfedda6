"""Reads the raw inputs beside a history in an export, into what the context tower got in training."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import tensorflow as tf

from mmrec import schema
from mmrec.modalities.attributes.reader import AttributesReader
from mmrec.preprocess.names import plain

_NUMBERS, _NUMBERS_BESIDE = tf.TensorSpec([None], tf.float64), tf.TensorSpec([None, None], tf.float64)


class ContextReader:
    """Reads what is known beside the ids of histories.

    Args:
      kinds: the kinds of context, see `query.context`.
      event_types: the event types of training; the first is "".
      users: reads the attributes of users; None: there are none.

    Attributes:
      inputs: the raw inputs by name.
      resources: lookup tables that the graph uses.
    """

    def __init__(
        self, kinds: Collection[str] = (), event_types: Sequence[str] = (), users: AttributesReader | None = None
    ):
        self.inputs: dict[str, tf.TensorSpec] = {}
        self.resources = [] if users is None else [*users.resources]
        self._users, self._types = users, None
        if "time_gap" in kinds:
            self.inputs |= {schema.HISTORY_TIME: _NUMBERS_BESIDE, schema.NOW: _NUMBERS}
        if "event" in kinds:
            self.inputs[schema.HISTORY_EVENT] = tf.TensorSpec([None, None], tf.string)
            keys = tf.constant(list(event_types[1:]), tf.string)
            table = tf.lookup.KeyValueTensorInitializer(keys, tf.range(1, len(event_types), dtype=tf.int32))
            self._types = tf.lookup.StaticHashTable(table, default_value=0)
            self.resources.append(self._types)
        if users is not None:
            self.inputs |= users.inputs

    def __call__(self, raw: Mapping[str, tf.Tensor], place: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads the context of B histories.

        Args:
          raw: values of `inputs`. Those beside items stand in the same columns as the history's items; NaN, "" and
            missing columns are unknown.
          place: int32 [B, W], the columns that are read, oldest first, counted from 1; 0 pads at the end.

        Returns:
          The tensors that `towers.context` reads, by name.
        """
        context = {}
        if schema.HISTORY_TIME in self.inputs:
            time = _beside(raw[schema.HISTORY_TIME], tf.pad(place, [[0, 0], [0, 1]]), math.nan)
            behind = tf.range(tf.shape(time)[1]) == tf.math.count_nonzero(place, axis=1, keepdims=True, dtype=tf.int32)
            context[schema.HISTORY_TIME] = tf.where(behind, raw[schema.NOW][:, tf.newaxis], time)  # [B, W + 1]
        if self._types is not None:
            types = _beside(raw[schema.HISTORY_EVENT], place, "")
            row = self._types.lookup(types)
            context[schema.HISTORY_EVENT] = tf.where(row > 0, row, self._types.lookup(plain(types)))
        if self._users is not None:
            features = self._users({name: raw[name] for name in self._users.inputs}).features
            context |= {f"user_{name.partition('_')[2]}": value for name, value in features.items()}
        return context


def _beside(values: tf.Tensor, place: tf.Tensor, nothing: float | str) -> tf.Tensor:
    """Gathers values [B, V] by column, from 1 (int32 [B, W]); `nothing` for 0 and for missing columns."""
    lacking = tf.maximum(0, tf.reduce_max(tf.pad(place, [[0, 1], [0, 0]])) - tf.shape(values)[1])
    return tf.gather(tf.pad(values, [[0, 0], [1, lacking]], constant_values=nothing), place, batch_dims=1)
