"""Makes the config of a refresh: that of the export, with another catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mmrec.config import Config
from mmrec.errors import InputError
from mmrec.modalities.names import ATTRIBUTES
from mmrec.refreshing.columns import Columns, match_columns


def refreshed_config(
    manifest: Mapping[str, Any], catalog: str | os.PathLike[str], overrides: Mapping[str, Any]
) -> tuple[Config, Columns]:
    """Returns the config of an export with another catalog, and which columns of that stand for which of the export.

    Args:
      manifest: the manifest of the export.
      catalog: path of the table of all items.
      overrides: values of `data.catalog` and `data.tfds_dir`, by dotted key or nested dict.

    Raises:
      InputError: another value is overridden, or the columns do not match those of the export.
    """
    trained, overridden = Config.load(manifest["config"]), dict(_flat(overrides))
    values = trained.model_dump(mode="json")
    if any(key.startswith(f"data.catalog.{ATTRIBUTES}") for key in overridden):
        values["data"]["catalog"][ATTRIBUTES] = {}  # otherwise the new ones would be added to the old
    config = Config.load(values, **{**overrides, "data.catalog.path": os.fspath(catalog)})
    before, after = (
        dict(_flat(one.model_dump(mode="json", exclude={"data": {"catalog", "tfds_dir"}}))) for one in (trained, config)
    )
    other = next((key for key in {**before, **after} if before.get(key) != after.get(key)), None)
    if other is not None:
        raise InputError(
            f"`{other}`: a refresh takes values of `data.catalog` and `data.tfds_dir` only. Received: "
            f"{after.get(other)!r}. Leave it out, or train again."
        )
    names = manifest.get("columns") or trained.data.catalog.model_dump(mode="json")
    columns = match_columns(config.data.catalog, names, config.item.modalities, overridden)
    data = config.data.model_copy(update={"catalog": columns.catalog})
    return config.model_copy(update={"data": data}), columns


def _flat(values: Mapping, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields values by dotted key."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
