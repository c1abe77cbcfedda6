"""Lists the raw inputs of an item over all modalities in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmrec import schema
from mmrec.config import Config
from mmrec.modalities.names import MODALITIES, find_modality, modality_classes


def item_fields(config: Config, names: Mapping[str, Any] | None = None) -> list[schema.Field]:
    """Lists the raw inputs of an item, in the order of the modalities.

    A single text column is called `text` in signatures; several, and attributes, keep their names, as far as these are
    ASCII letters, digits and "_" (anything else becomes "_"). No column gets a name that a modality reserves.

    Args:
      config: the modalities, and the columns that they read.
      names: what training called these columns, as `data.catalog` has them and in the same order, see
        `refreshing.columns`; None: as now.
    """
    names = config.data.catalog.model_dump() if names is None else names
    classes = modality_classes(config)
    kept = {**{name: find_modality(name) for name in MODALITIES}, **classes}
    reserved = [name for modality in kept.values() for name in modality.reserved]
    fields: list[schema.Field] = []

    def free(wanted: str) -> str:
        return schema.input_name(wanted, [*reserved, *(field.input for field in fields)])

    for modality in classes.values():
        for field in modality.fields(config, names, free):
            fields.append(field)
    return fields
