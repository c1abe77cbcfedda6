"""Turns a table of items into the inputs of a signature that reads their raw fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.preprocess.transcode import graph_readable
from mmrec.schema import Field
from mmrec.serving.columns import column
from mmrec.values import Spellings


def item_columns(
    table: pd.DataFrame, fields: Sequence[Field], specs: Mapping[str, tf.TensorSpec], item_ids: Spellings
) -> dict[str, np.ndarray]:
    """Returns the columns of a table by the inputs of a signature, photos in the format that they have.

    Args:
      table: N items, a row each; see `Recommender.embed_items`.
      fields: the raw inputs that the model reads.
      specs: the inputs of the signature by name.
      item_ids: the ids of the export; ids in the table are spelt as they are.

    Returns:
      An array of N rows by name of input; columns that the table lacks are missing in every row.

    Raises:
      InputError: the table has none of the columns, or a value is not of its kind.
    """
    table, columns, present, accepted = pd.DataFrame(table), {}, [], []
    for field in fields:
        accepted.append(" or ".join(f"`{name}`" for name in field.names))
        name = next((name for name in field.names if name in table), None)
        if name is not None:
            present.append(name)
        values = [None] * len(table) if name is None else table[name]
        columns[field.input] = column(values, field.kind, specs[field.input].shape[1:], name or field.input)
        if field.kind == "id":
            columns[field.input] = item_ids.spelt(columns[field.input])
    if not present:
        raise InputError(
            f"`table` must have at least one of the columns {', '.join(accepted)}. "
            f"Received: {', '.join(map(str, table)) or 'no column'}."
        )
    return columns


def decodable(inputs: Mapping[str, np.ndarray], fields: Sequence[Field]) -> dict[str, np.ndarray]:
    """Returns the inputs of a signature with photos in a format that its graph can decode, as in training."""
    readable = dict(inputs)
    for field in fields:
        if field.max_pixels is not None and field.input in inputs:
            transcode = np.frompyfunc(lambda file, most=field.max_pixels: graph_readable(file, most), 1, 1)
            readable[field.input] = transcode(inputs[field.input])
    return readable
