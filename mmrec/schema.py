"""The fields of items and users, and the names of signatures, columns and files, each spelled here once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

ID = "item_id"
"""The column of item ids in the items of an export, and the signature input for an item's id."""
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
EMBED_QUERY, EMBED_ITEM, LABEL = "embed_query", "embed_item", "attributes"
HISTORY_TIME, HISTORY_EVENT, NOW = "history_time", "history_event", "now"
MANIFEST, ITEMS, DELISTED = "mmrec/manifest.json", "mmrec/items.parquet", "mmrec/delisted.parquet"
PLAIN_CATEGORIES = "plain_categories"  # in manifests: the graph reads categories by `values.plain`
FILE_DIGESTS = "file_digests"  # in manifests: an item's digest is made of the digests of its files as they are on disk
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
      status: the bit of the output `status` that marks it as unreadable; 0: it has no such bit.
      max_pixels: largest width times height of a photo that is read; None: it is not a photo.
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
        """Its name in any table: the modality, if that has only one input; else the column."""
        single = self.kind in (BYTES_KIND, VECTOR_KIND, ID_KIND)
        return self.modality if single else self.trained or self.column

    @property
    def names(self) -> list[str]:
        """All names by which a table's column is recognised as this field."""
        return list(dict.fromkeys([self.trained or self.column, self.name, self.input, self.column]))


def user_fields(attributes: Mapping[str, str]) -> list[Field]:
    """Lists the raw inputs of a user: those of `data.users.attributes`, each name with `user_` in front."""
    fields: list[Field] = []
    for column, kind in attributes.items():
        name = input_name(f"user_{column}", [field.input for field in fields])
        fields.append(Field(column, "user", name, "category" if kind == "category" else "number"))
    return fields


def input_name(column: str, taken: Collection[str]) -> str:
    """Returns an unused input name made of a column's: letters, digits and `_`, a letter first, as TensorFlow needs."""
    name = re.sub(r"[^A-Za-z0-9]", "_", column)
    name = name if name[:1].isalpha() else f"text_{name}"
    while name in taken:
        name += "_"
    return name
