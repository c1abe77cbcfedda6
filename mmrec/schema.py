"""What an item and a query are made of; signature and column names are spelled here once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IMAGE, TEXT, AUDIO, ATTRIBUTES, FEATURES, ITEM_ID = "image", "text", "audio", "attributes", "features", "item_id"

# Names in the export, fixed by contract.
SERVING_DEFAULT, RECOMMEND, SIMILAR = "serving_default", "recommend", "similar"
EMBED_QUERY, EMBED_ITEM = "embed_query", "embed_item"
HISTORY_TIME, HISTORY_EVENT, NOW = "history_time", "history_event", "now"
MANIFEST, ITEMS = "mmrec/manifest.json", "mmrec/items.parquet"
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
    """

    column: str
    modality: str
    input: str
    kind: str

    @property
    def name(self) -> str:
        """What a table may call it, wherever it comes from: the modality, where that has one input; else the column."""
        return self.modality if self.modality in _SINGLE else self.column

    @property
    def names(self) -> list[str]:
        """What a column of a table may be called to be this field."""
        return list(dict.fromkeys([self.column, self.name, self.input]))


_SINGLE = {
    IMAGE: ("image_bytes", "bytes"),
    AUDIO: ("audio_bytes", "bytes"),
    FEATURES: ("features", "vector"),
    ITEM_ID: ("item_id", "id"),
}


def item_fields(modalities: Sequence[str], catalog: Mapping[str, Any]) -> list[Field]:
    """Lists the raw inputs of an item, in the order of the modalities.

    Args:
      modalities: the towers in use.
      catalog: the values of `data.catalog`. A single text column is called `text` in signatures; several, and
        attributes, keep their names, as far as these are ASCII letters, digits and "_" (anything else becomes "_").
    """
    fields: list[Field] = []

    def add(column: str, modality: str, wanted: str, kind: str) -> None:
        taken = [*(name for name, _ in _SINGLE.values()), "text", *(field.input for field in fields)]
        fields.append(Field(column, modality, wanted if wanted == "text" else _input_name(wanted, taken), kind))

    for modality in modalities:
        if modality in _SINGLE:
            name, kind = _SINGLE[modality]
            fields.append(Field(catalog.get(modality) or modality, modality, name, kind))
        elif modality == TEXT:
            columns = catalog["text"]
            for column in columns:
                add(column, TEXT, "text" if len(columns) == 1 else column, "text")
        elif modality == ATTRIBUTES:
            for column, kind in catalog["attributes"].items():
                add(column, ATTRIBUTES, column, "category" if kind == "category" else "number")
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
