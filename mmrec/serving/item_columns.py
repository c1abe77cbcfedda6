"""Converts a table of items to the inputs of a signature that reads items."""

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
    table: pd.DataFrame, fields: Sequence[Field], inputs: Mapping[str, tf.TensorSpec], spellings: Spellings
) -> dict[str, np.ndarray]:
    """Returns the columns of a table by the inputs of a signature, photos as they are.

    Args:
      table: N rows, a column per field, by any of its names; absent ones are missing.
      fields: what the export reads of an item.
      inputs: of the signature.
      spellings: of the export's item ids.

    Raises:
      InputError: no column is one of the fields, or a value breaks its rule.
    """
    table, columns, present, accepted = pd.DataFrame(table), {}, [], []
    for field in fields:
        accepted.append(" or ".join(f"`{name}`" for name in field.names))
        name = next((name for name in field.names if name in table), None)
        if name is not None:
            present.append(name)
        values = [None] * len(table) if name is None else table[name]
        shape = inputs[field.input].shape[1:]
        columns[field.input] = column(values, field.kind, shape, name or field.input)
        if field.kind == "id":
            columns[field.input] = spellings.spelt(columns[field.input])
    if not present:
        raise InputError(
            f"`table` must have at least one of the columns {', '.join(accepted)}. "
            f"Received: {', '.join(map(str, table)) or 'no column'}."
        )
    return columns


def graph_readable_photos(inputs: Mapping[str, np.ndarray], fields: Sequence[Field]) -> dict[str, np.ndarray]:
    """Returns the inputs with photos turned into formats that the graph reads, as training does.

    Args:
      inputs: of a signature, by name.
      fields: what the export reads of an item.
    """
    readable = dict(inputs)
    for field in fields:
        if field.max_pixels is not None and field.input in inputs:
            transcode = np.frompyfunc(lambda file, most=field.max_pixels: graph_readable(file, most), 1, 1)
            readable[field.input] = transcode(inputs[field.input])
    return readable
