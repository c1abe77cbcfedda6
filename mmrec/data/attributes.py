"""Reads and checks the attribute columns of a table of items or users."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mmrec.config.data import CatalogConfig, UsersConfig
from mmrec.data.tables import flat_strings
from mmrec.errors import Faults
from mmrec.values import number, trimmed


def read_attributes(
    table: pd.DataFrame,
    config: CatalogConfig | UsersConfig,
    source_rows: np.ndarray,
    key: str = "data.catalog",
    as_written: bool = False,
) -> tuple[dict, int]:
    """Reads the attribute columns.

    Args:
      table: [N] rows of the items, or users.
      config: names the columns and their kinds.
      source_rows: int64 [N], 0-based row of each one in the file.
      key: dotted key of `config` in the whole config, for messages.
      as_written: whether a category written as `9.0` stays so, as in earlier versions of mmrec: models that these
        trained know only such spellings.

    Returns:
      Arrays by column: of a category str objects [N] ("" is none), of a number float32 [N] (NaN is none). And the
      number of values that were masked because they break a rule.

    Raises:
      InputError: naming, by column, the first row whose value breaks a rule, unless `on_bad_attribute` is `mask`.
    """
    attributes, masked, faults = {}, 0, Faults()
    for column, kind in config.attributes.items():
        if kind == "category":
            with faults.collected():
                attributes[column] = flat_strings(table, column, config.path)
                if as_written:
                    attributes[column] = trimmed(table[column])
            continue
        cells = table[column].to_numpy(object)
        values = np.array([_number(cell, kind) for cell in cells], np.float32)
        bad = np.flatnonzero(np.isinf(values))
        if len(bad) and config.on_bad_attribute == "error":
            first = bad[np.argmin(source_rows[bad])]
            rule = "a finite number" if kind == "number" else "a finite number of at least 0"
            more = f" (and {len(bad) - 1:,} more)" if len(bad) > 1 else ""
            faults.messages.append(
                f"{config.path}, row {source_rows[first] + 1:,}{more}, column `{column}`: must be {rule}, or empty. "
                f"Received: {cells[first]!r:.80}. Correct it, or set `{key}.on_bad_attribute: mask` to train "
                f"the {'item' if key == 'data.catalog' else 'user'} without it."
            )
        values[bad] = np.nan
        masked += len(bad)
        attributes[column] = values
    faults.raise_any()
    return attributes, masked


def _number(cell: object, kind: str) -> float:
    """Returns a cell as a number: NaN where nothing stands, infinity for what breaks the rule."""
    try:
        value = number(cell)
    except ValueError:
        return np.inf
    return np.inf if kind == "price" and value < 0 else value
