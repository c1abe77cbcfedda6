"""What an item and a query are made of; signature and column names are spelled here once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IMAGE, TEXT, AUDIO, ATTRIBUTES, FEATURES, ITEM_ID = "image", "text", "audio", "attributes", "features", "item_id"

ID = "item_id"
"""The column of ids in items and payload, and the input of an item's id."""
BYTES_KIND, TEXT_KIND, CATEGORY_KIND, NUMBER_KIND, VECTOR_KIND, ID_KIND = (
    "bytes",
    "text",
    "category",
    "number",
    "vector",
    "id",
)
FLOAT_KINDS = (NUMBER_KIND, VECTOR_KIND)

# Names in the export, fixed by contract.
SERVING_DEFAULT, RECOMMEND, SIMILAR = "serving_default", "recommend", "similar"
EMBED_QUERY, EMBED_ITEM = "embed_query", "embed_item"
HISTORY_TIME, HISTORY_EVENT, NOW = "history_time", "history_event", "now"
MANIFEST, ITEMS, DELISTED = "mmrec/manifest.json", "mmrec/items.parquet", "mmrec/delisted.parquet"
PLAIN_CATEGORIES = "plain_categories"  # in manifests: the graph reads categories by `values.plain`
FILE_DIGESTS = "file_digests"  # in manifests: items' digests are made of those of their files, as these lie there
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
      status: the bit of `status` that says that it is unreadable; 0: there is none.
      max_pixels: of photos, width times height above which one is unreadable; None: it holds none.
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
        single = self.kind in (BYTES_KIND, VECTOR_KIND, ID_KIND)
        return self.modality if single else self.trained or self.column

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


def catalog_names(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the columns of an export's catalog as `data.catalog` has them, by the names that its users know.

    The config in the manifest of a refreshed version says what the table in use calls them.
    """
    return manifest.get("columns") or manifest["config"].get("data", {}).get("catalog", {})


def item_fields(
    modalities: Sequence[str], catalog: Mapping[str, Any], names: Mapping[str, Any] | None = None
) -> list[Field]:
    """Lists the raw inputs of an item, in the order of the modalities.

    Args:
      modalities: the towers in use.
      catalog: the values of `data.catalog`. A single text column is called `text` in signatures; several, and
        attributes, keep their names, as far as these are ASCII letters, digits and "_" (anything else becomes "_").
      names: what training called these columns, in the same order, see `catalog_names`; None: as now.
    """
    names = names or catalog
    fields: list[Field] = []

    def add(column: str, trained: str, modality: str, wanted: str, kind: str) -> None:
        fields.append(Field(column, modality, wanted, kind, trained if trained != column else ""))

    def free(wanted: str) -> str:
        return input_name(wanted, [*(name for name, _ in _SINGLE.values()), "text", *(one.input for one in fields)])

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


def manifest_fields(manifest: Mapping[str, Any]) -> list[Field]:
    """Returns the raw inputs of an item as an export states them; of earlier exports, as their config implies them."""
    if "fields" in manifest:
        return [Field(**field) for field in manifest["fields"]]
    config = manifest["config"]
    modalities, catalog = config["item"]["modalities"], config.get("data", {}).get("catalog", {})
    return item_fields(modalities, catalog, catalog_names(manifest))


def user_fields(attributes: Mapping[str, str]) -> list[Field]:
    """Lists the raw inputs of a user: `data.users.attributes` by their names behind `user_`."""
    fields: list[Field] = []
    for column, kind in attributes.items():
        name = input_name(f"user_{column}", [field.input for field in fields])
        fields.append(Field(column, "user", name, "category" if kind == "category" else "number"))
    return fields


def input_name(column: str, taken: Collection[str]) -> str:
    """Returns the column's name as TensorFlow lets an input be called: a letter first, and none that is taken."""
    name = re.sub(r"[^A-Za-z0-9]", "_", column)
    name = name if name[:1].isalpha() else f"text_{name}"
    while name in taken:
        name += "_"
    return name
