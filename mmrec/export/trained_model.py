"""The trained model of an export, without its items: two functions that every refresh takes over as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError
from mmrec.export.context import ContextReader
from mmrec.index.item_table import ItemTable
from mmrec.modalities.reader import Reader


class TrainedModel(tf.Module):
    """The result of training, apart from the catalog.

    The functions are concrete functions. So signatures call them instead of holding copies, and saving a restored model
    again adds nothing to them.

    Args:
      embed: raw fields of B items by input -> `vector` float32 [B, D + R], see `ItemTable`, and `status` int32 [B].
      query: item vectors float32 [B, W, D + R], oldest first; place int32 [B, W], their columns in the history, counted
        from 1, 0 pads at the end; and the raw inputs beside the history -> float32 [B, D].
      held: the variables and lookup tables that the functions use.
    """

    def __init__(
        self,
        embed: tf.types.experimental.ConcreteFunction,
        query: tf.types.experimental.ConcreteFunction,
        held: Sequence,
    ):
        super().__init__(name="trained_model")
        self.embed, self.query, self.held = embed, query, list(held)

    @property
    def item_inputs(self) -> Mapping[str, tf.TensorSpec]:
        """The raw fields of an item by name, sorted by name, as a restored function has them in any order."""
        return dict(sorted(self.embed.structured_input_signature[0][0].items()))

    @property
    def dim(self) -> int:
        """D, the number of values of a vector that are compared with a query, the first ones."""
        return self.query.structured_outputs.shape[-1]

    def item_table(self, vectors: np.ndarray) -> ItemTable:
        """Splits vectors of `embed` (float32 [N, D + R]) into those that are scored and those that are only read."""
        return ItemTable.split(vectors, vectors.shape[1] - self.dim)

    @property
    def context_inputs(self) -> Mapping[str, tf.TensorSpec]:
        """The inputs that are read beside a history, by name, sorted by name."""
        return dict(sorted(self.query.structured_input_signature[0][2].items()))


def trace_model(
    readers: Sequence[Reader],
    candidate_tower: tf.keras.layers.Layer,
    query_tower: tf.keras.layers.Layer,
    context: ContextReader | None = None,
) -> TrainedModel:
    """Makes functions of the towers and of the readers in front of them.

    Keras layers are hidden from the saver, which would trace and store each of them again; their variables and tables
    are listed instead.

    Args:
      readers: one per modality, turns raw inputs of items into features.
      candidate_tower: turns features of items into float32 [B, D + R].
      query_tower: its `last` turns items (float32 [B, L, D + R]), lengths and context into queries, float32 [B, D].
      context: reads the inputs beside a history; None: there are none.
    """
    context = context or ContextReader()
    inputs = {name: spec for reader in readers for name, spec in reader.inputs.items()}

    @tf.function(input_signature=[_named(inputs)])
    def embed(raw):
        reads = [reader({name: raw[name] for name in reader.inputs}) for reader in readers]
        features = {name: value for read in reads for name, value in read.features.items()}
        present = tf.reduce_any(tf.stack([read.present for read in reads]), axis=0)  # [B]
        faults = tf.add_n([tf.zeros_like(present, tf.int32) + read.status for read in reads])
        status = faults + tf.where(present, 0, schema.ROW_STATUS_EMPTY)
        return {"vector": candidate_tower(features, training=False), "status": status}

    embedding = embed.get_concrete_function()
    width = embedding.structured_outputs["vector"].shape[-1]  # D + R
    items, place = tf.TensorSpec([None, None, width], tf.float32), tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[items, place, _named(context.inputs)])
    def query(items, place, raw):
        length = tf.math.count_nonzero(place, axis=1, dtype=tf.int32)
        return query_tower.last(items, length, context(raw, place))

    resources = [resource for reader in (*readers, context) for resource in reader.resources]
    held = [*candidate_tower.variables, *query_tower.variables, *resources]
    return TrainedModel(embedding, query.get_concrete_function(), held)


def restore_model(exported: tf.Module, path: object) -> TrainedModel:
    """Takes the functions out of a loaded export.

    Args:
      exported: what `tf.saved_model.load` returned.
      path: the version folder, for the message.

    Raises:
      InputError: the export is of an earlier mmrec, which did not save these functions.
    """
    model = getattr(exported, "model", None)
    if not hasattr(model, "embed") or not hasattr(model, "query"):
        raise InputError(
            f"{path}: was exported by an earlier mmrec, without the functions that embed new items. Export the model "
            "again (`mmrec train`); later versions can be refreshed."
        )
    for one in model.held:
        for part in (one, *vars(one).values()):  # a SentencePiece model is an attribute of its tokenizer
            _save_as_restored(part)
    return TrainedModel(model.embed, model.query, model.held)


def _named(inputs: Mapping[str, tf.TensorSpec]) -> dict[str, tf.TensorSpec]:
    return {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()}


def _save_as_restored(resource: object) -> None:
    """Makes TensorFlow save a restored table with the functions that it was restored with; leaves variables alone.

    Otherwise TensorFlow would wrap each function in another one, and after a hundred refreshes they would be nested a
    hundred deep.
    """
    names = ("_create_resource", "_initialize", "_destroy_resource")
    functions = {name: getattr(resource, name, None) for name in names}
    if not all(hasattr(function, "concrete_functions") for function in functions.values()):
        return
    for function in functions.values():
        function.get_concrete_function = lambda function=function: function.concrete_functions[0]
    resource._trackable_children = lambda save_type="checkpoint", **_: functions if save_type == "savedmodel" else {}
