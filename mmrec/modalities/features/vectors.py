"""Reads and checks a catalog's column of ready-made vectors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmrec.data.tables import rows_text
from mmrec.errors import InputError
from mmrec.vectors import parse_vector


def read_vectors(column: pd.Series, path: str, source_rows: np.ndarray) -> np.ndarray:
    """Reads a column of vectors of one width.

    Args:
      column: [N], values as `vectors.parse_vector` takes them.
      path: of the catalog, for messages.
      source_rows: int64 [N], 0-based row of each item in the file.

    Returns:
      float32 [N, F]; a row of NaN for an item without a vector.

    Raises:
      InputError: naming the first row of the file whose vector is none, is not finite or is of another width; or no
        item has one.
    """
    vectors, first, cells, bad = None, 0, column.to_numpy(), {}
    for place in np.argsort(source_rows):
        row = int(source_rows[place]) + 1
        try:
            vector = parse_vector(cells[place])
            if vector is None:
                continue
            if vectors is None:
                vectors, first = np.full((len(cells), len(vector)), np.nan, np.float32), row
            if len(vector) != vectors.shape[1]:
                raise ValueError(f"must have {vectors.shape[1]} numbers, as row {first:,} has. Received: {len(vector)}")
        except ValueError as error:
            bad[row - 1] = error
            continue
        vectors[place] = vector
    if bad:
        rows = np.array(list(bad))
        raise InputError(
            f"{rows_text(path, rows, column.name)}: {bad[rows[0]]}. Correct it, or leave it empty: the item then "
            "counts as without features."
        )
    if vectors is None:
        raise InputError(
            f"{path}, column `{column.name}`: no item has features. Correct `data.catalog.features`, or leave "
            "`features` out of `item.modalities`."
        )
    return vectors
