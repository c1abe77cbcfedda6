"""The raw fields of a catalog's items, as the export reads them, and digests of their content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmrec import schema
from mmrec.data.catalog import Catalog
from mmrec.data.content import RawField, hashed, value_digest
from mmrec.data.feature_store import digest


class RawItems:
    """Reads the raw fields of items, one item at a time; photos and recordings come from their files.

    Args:
      catalog: the items.
      fields: the fields to read, see `modalities.fields.item_fields`.
      by_file: whether the digest of an item uses the digests of its files, which preparation has already computed.
        Otherwise it uses what the graph reads of them, as in exports without `schema.FILE_DIGESTS` in the manifest.
    """

    def __init__(self, catalog: Catalog, fields: Sequence[schema.Field], by_file: bool = True):
        self._catalog, self.fields, self._by_file = catalog, tuple(fields), by_file

    def item(self, item: int) -> dict[str, RawField]:
        """Returns the raw fields of one item (0-based) by signature input, in the order of the modalities."""
        return {field.input: self.value(field, item) for field in self.fields}

    def digest(self, item: int) -> str:
        """Returns the content digest of one item (0-based), hexadecimal."""
        if not self._by_file:
            return item_digest(self.item(item))
        return digest(*(self._digest(field, item) for field in self.fields)).hex()

    def columns(self, items: Sequence[Mapping[str, RawField]]) -> dict[str, np.ndarray]:
        """Returns the raw fields of S items (each from `item`) by signature input, float32 or objects [S, ...]."""
        kinds = {field.input: np.float32 if field.kind in schema.FLOAT_KINDS else object for field in self.fields}
        return {name: np.array([item[name] for item in items], kind) for name, kind in kinds.items()}

    def value(self, field: schema.Field, item: int) -> RawField:
        """Returns one raw field of one item (0-based)."""
        if field.kind == schema.ID_KIND:
            return self._catalog.item_ids[item]
        return self._catalog.content[field.modality].value(field.column, item)

    def _digest(self, field: schema.Field, item: int) -> bytes:
        if field.kind == schema.ID_KIND:
            return value_digest(self._catalog.item_ids[item])
        return self._catalog.content[field.modality].digest(field.column, item)


def item_digest(raw: Mapping[str, RawField]) -> str:
    """Returns the SHA-256 of an item's raw fields as the graph reads them, hexadecimal."""
    return digest(*map(hashed, raw.values())).hex()
