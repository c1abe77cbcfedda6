"""What an item and a query are made of; signature and column names are spelled here once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IMAGE, TEXT, AUDIO, ATTRIBUTES, FEATURES, ITEM_ID = "image", "text", "audio", "attributes", "features", "item_id"

ID = "item_id"  # the column of ids in an export's items, and the input of signatures

# Names in the export, fixed by contract.
SERVING_DEFAULT, RECOMMEND, SIMILAR = "serving_default", "recommend", "similar"
EMBED_QUERY, EMBED_ITEM, LABEL = "embed_query", "embed_item", "attributes"
HISTORY_TIME, HISTORY_EVENT, NOW = "history_time", "history_event", "now"
MANIFEST, ITEMS, DELISTED = "mmrec/manifest.json", "mmrec/items.parquet", "mmrec/delisted.parquet"
PLAIN_CATEGORIES = "plain_categories"  # in manifests: the graph reads categories by `values.plain`
FORMAT_VERSION = 1  # of exports: what is written, and the newest that is read
ROW_STATUS_IMAGE, ROW_STATUS_AUDIO, ROW_STATUS_EMPTY = 1, 2, 4
MODEL_CARD, REQUESTS, SERVER_CONFIG = "mmrec/README.md", "mmrec/requests", "mmrec/serving"


@dataclass(frozen=True)
class Field:
    """One raw input of an item, or of a user.

    Attributes:
      column: the column of the table that it comes from.
      modality: the tower that reads it.
      input: its name as a signature input; raw bytes end in `_bytes`.
      kind: `bytes`, `text`, `category`, `number`, `vector` or `id`.
      trained: what training called the column, where its name has changed since.
      status: the bit of `status` that says that it could not be read; 0: there is none.
      max_pixels: of photos, width times height above which one is unreadable; None: it is no photo.
    """

    column: str
    modality: str
    input: str
    kind: str
    trained: str = ""
    status: int = 0
    max_pixels: int | None = None

    @property
    def name(self) -> str:
        """What a table may call it, wherever it comes from: the modality, where that has one input; else the column."""
        return self.modality if self.modality in _SINGLE else self.trained or self.column

    @property
    def names(self) -> list[str]:
        """What a column of a table may be called to be this field."""
        return list(dict.fromkeys([self.trained or self.column, self.name, self.input, self.column]))


_SINGLE = {
    IMAGE: ("image_bytes", "bytes"),
    AUDIO: ("audio_bytes", "bytes"),
    FEATURES: ("features", "vector"),
    ITEM_ID: ("item_id", "id"),
}


def item_fields(
    modalities: Sequence[str],
    catalog: Mapping[str, Any],
    names: Mapping[str, Any] | None = None,
    max_pixels: int | None = None,
) -> list[Field]:
    """Lists the raw inputs of an item, in the order of the modalities.

    Args:
      modalities: the towers in use.
      catalog: the values of `data.catalog`. A single text column is called `text` in signatures; several, and
        attributes, keep their names, as far as these are ASCII letters, digits and "_" (anything else becomes "_").
      names: what training called these columns, in the same order; None: as now.
      max_pixels: of photos, see `Field`.
    """
    names = names or catalog
    fields: list[Field] = []

    def add(column: str, trained: str, modality: str, wanted: str, kind: str) -> None:
        status = {IMAGE: ROW_STATUS_IMAGE, AUDIO: ROW_STATUS_AUDIO}.get(modality, 0)
        most = max_pixels if modality == IMAGE else None
        fields.append(Field(column, modality, wanted, kind, trained if trained != column else "", status, most))

    def free(wanted: str) -> str:
        return _input_name(wanted, [*(name for name, _ in _SINGLE.values()), "text", *(one.input for one in fields)])

    for modality in modalities:
        if modality in _SINGLE:
            column, trained = (one.get(modality) or modality for one in (catalog, names))
            add(column, trained, modality, *_SINGLE[modality])
        elif modality == TEXT:
            for column, trained in zip(catalog["text"], names["text"], strict=True):
                add(column, trained, TEXT, "text" if len(names["text"]) == 1 else free(trained), "text")
        elif modality == ATTRIBUTES:
            for column, (trained, kind) in zip(catalog["attributes"], names["attributes"].items(), strict=True):
                add(column, trained, ATTRIBUTES, free(trained), "category" if kind == "category" else "number")
    return fields


def user_fields(attributes: Mapping[str, str]) -> list[Field]:
    """Lists the raw inputs of a user: `data.users.attributes` by their names behind `user_`."""
    fields: list[Field] = []
    for column, kind in attributes.items():
        name = _input_name(f"user_{column}", [field.input for field in fields])
        fields.append(Field(column, "user", name, "category" if kind == "category" else "number"))
    return fields


def _input_name(column: str, taken: Collection[str]) -> str:
    """Returns the column's name as TensorFlow lets an input be called: a letter first, and none that is taken."""
    name = re.sub(r"[^A-Za-z0-9]", "_", column)
    name = name if name[:1].isalpha() else f"text_{name}"
    while name in taken:
        name += "_"
    return name
