"""The keys of `data.catalog` that name a modality's columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmrec import schema
from mmrec.config import Config
from mmrec.errors import InputError


def catalog_column(config: Config, name: str) -> Any:
    """Returns the value of `data.catalog.<name>`: a column, several, or columns and their kinds.

    Args:
      config: names the columns.
      name: of the modality.

    Raises:
      InputError: it names none.
    """
    column = getattr(config.data.catalog, name)
    if not column:
        raise InputError(
            f"`data.catalog.{name}`: must name a column when `item.modalities` has `{name}`. Received: "
            f"{'null' if column is None else 'none'}."
        )
    return column


def column_field(column: str, trained: str, name: str, wanted: str, kind: str) -> schema.Field:
    """Returns the field of a column.

    Args:
      column: as it is called now.
      trained: as training called it.
      name: of the modality.
      wanted: its name as an input.
      kind: see `schema.Field`.
    """
    return schema.Field(column, name, wanted, kind, trained if trained != column else "")


def single_field(config: Config, names: Mapping[str, Any], name: str, wanted: str, kind: str) -> schema.Field:
    """Returns the field of a modality that reads one column; if none is set, the modality's name is used."""
    column, trained = getattr(config.data.catalog, name) or name, names.get(name) or name
    return column_field(column, trained, name, wanted, kind)
