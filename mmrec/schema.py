"""Names of signatures and columns, and the fields of an item; each is spelt here once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

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
EMBED_QUERY, EMBED_ITEM, LABEL = "embed_query", "embed_item", "attributes"
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
