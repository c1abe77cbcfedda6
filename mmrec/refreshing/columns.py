"""Matches the columns of a new catalog, which may have other names, to those of an export."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mmrec import schema
from mmrec.config.data import CatalogConfig
from mmrec.data.catalog import Catalog
from mmrec.errors import InputError
from mmrec.modalities.names import ATTRIBUTES, AUDIO, FEATURES, IMAGE, TEXT

_ONE_COLUMN = (schema.ID, IMAGE, AUDIO, FEATURES)
_SHOWN = ("payload", "filters")
_NAMED = (*_ONE_COLUMN, TEXT, ATTRIBUTES, *_SHOWN)


@dataclass(frozen=True)
class Columns:
    """Which columns of a new catalog stand for which columns of the export.

    Attributes:
      catalog: how the new catalog is read, its columns in the order of the export's.
      names: the names of these columns in the export, in the same order.
      renamed: column of the new catalog -> its name in the export, where these differ.
    """

    catalog: CatalogConfig
    names: Mapping[str, Any]
    renamed: Mapping[str, str]

    def named(self, catalog: Catalog) -> Catalog:
        """Returns a catalog with its payload and filters named as in the export."""
        names = dict(_shown_pairs(_columns(self.catalog.model_dump()), _columns(self.names)))
        filters = {names[column]: values for column, values in catalog.filters.items()}
        return replace(catalog, payload=catalog.payload.rename(columns=names), filters=filters)


def match_columns(
    catalog: CatalogConfig, names: Mapping[str, Any], modalities: Sequence[str], overridden: Collection[str]
) -> Columns:
    """Finds the column of a new catalog for each column of an export.

    Columns of the same name are the same; the others are matched in their order. If payload or filters have another
    number of columns than in the export, they are new ones and keep their names.

    Args:
      catalog: how the new catalog is to be read.
      names: the columns of the export, as in `data.catalog`.
      modalities: the modalities that the model reads.
      overridden: dotted config keys that are set for this refresh. Payload and filters that are not among them follow
        the columns that the model reads: if `title` is now `name`, the payload's `title` is `name` too.

    Raises:
      InputError: the model reads more columns, fewer, or attributes of another kind; or a column would have two names.
    """
    old, new = _columns(names), _columns(catalog.model_dump())
    read = [schema.ID, *(name for name in modalities if name in _NAMED)]  # other modalities have their own settings
    for name in read:
        new[name] = _in_order(name, old[name], new[name])
    kinds = {column: catalog.attributes[column] for column in new[ATTRIBUTES]}
    if ATTRIBUTES in modalities:
        _require_kinds(names[ATTRIBUTES], kinds)
    now = {trained: column for name in read for trained, column in zip(old[name], new[name], strict=True)}
    trained = {column: name for name, column in now.items()}
    for name in _SHOWN:
        if f"data.catalog.{name}" not in overridden:
            new[name] = [now.get(*pair) for pair in zip(old[name], new[name], strict=True)]
        elif len(new[name]) == len(old[name]):
            new[name] = _in_order(name, old[name], new[name])
        else:
            old[name] = [trained.get(column, column) for column in new[name]]
    shown = _shown_pairs(new, old)
    for column, name in shown:
        other = next((pair for pair in shown if (pair[0] == column) != (pair[1] == name)), None)
        if other:
            raise InputError(
                f"`data.catalog.payload` and `data.catalog.filters`: the columns `{column}` and `{other[0]}` would be "
                f"called `{name}` and `{other[1]}`. Name them in the order in which the export has them."
            )
    renamed = {column: name for name, column in now.items()} | dict(shown)
    listed = {name: tuple(new[name]) for name in (TEXT, *_SHOWN)}
    return Columns(
        catalog.model_copy(update={**listed, ATTRIBUTES: kinds}),
        {name: names[name] for name in _NAMED} | {name: old[name] for name in _SHOWN},
        {column: name for column, name in renamed.items() if column != name},
    )


def _columns(catalog: Mapping[str, Any]) -> dict[str, list[str]]:
    """Returns the columns of each key of `data.catalog` that names some."""
    single = {name: [catalog[name]] if catalog[name] else [] for name in _ONE_COLUMN}
    return single | {name: [*dict.fromkeys(catalog[name])] for name in _NAMED if name not in _ONE_COLUMN}


def _shown_pairs(new: Mapping[str, Sequence[str]], old: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Returns pairs for payload and filters: column of the new catalog, name in the export."""
    return [pair for name in _SHOWN for pair in zip(new[name], old[name], strict=True)]


def _in_order(key: str, old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Returns the new columns in the order of the export's columns for which they stand."""
    if len(new) != len(old):
        raise InputError(
            f"`data.catalog.{key}`: the export reads {_quoted(old)}. Received: {_quoted(new)}. Name a column for each, "
            "in this order, or train again."
        )
    others = iter([column for column in new if column not in old])
    return [name if name in new else next(others) for name in old]


def _require_kinds(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for (name, kind), (column, other) in zip(old.items(), new.items(), strict=True):
        if kind != other:
            raise InputError(
                f"`data.catalog.attributes`: `{column}` stands for `{name}` of the export and must be a {kind}. "
                f"Received: {other}. Correct it, or name the columns in the order of the export's."
            )


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns) or "no column"
