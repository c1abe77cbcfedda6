"""The raw fields of a catalog's items, as the export reads them, and what tells one content from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmrec import schema
from mmrec.data.catalog import Catalog
from mmrec.data.content import RawField
from mmrec.data.feature_store import digest


class RawItems:
    """Reads raw fields of items, one at a time: photos and recordings are read from their files.

    Args:
      catalog: the items.
      fields: what is read of them, see `modalities.fields.item_fields`.
    """

    def __init__(self, catalog: Catalog, fields: Sequence[schema.Field]):
        self._catalog, self.fields = catalog, tuple(fields)

    def item(self, item: int) -> dict[str, RawField]:
        """Returns the raw fields of one item (0-based) by signature input, in the order of the modalities."""
        return {field.input: self.value(field, item) for field in self.fields}

    def digest(self, item: int) -> str:
        """Returns the content digest of one item (0-based)."""
        return item_digest(self.item(item))

    def columns(self, items: Sequence[Mapping[str, RawField]]) -> dict[str, np.ndarray]:
        """Returns the raw fields of S items (what `item` gave) by signature input: float32 or objects [S, ...]."""
        kinds = {field.input: np.float32 if field.kind in schema.FLOAT_KINDS else object for field in self.fields}
        return {name: np.array([item[name] for item in items], kind) for name, kind in kinds.items()}

    def value(self, field: schema.Field, item: int) -> RawField:
        """Returns one raw field of one item (0-based)."""
        if field.kind == schema.ID_KIND:
            return self._catalog.item_ids[item]
        return self._catalog.content[field.modality].value(field.column, item)


def item_digest(raw: Mapping[str, RawField]) -> str:
    """Returns the SHA-256 of an item's raw fields, hexadecimal."""
    return digest(*map(_hashed, raw.values())).hex()


def _hashed(value: RawField) -> bytes | str:
    if isinstance(value, list):
        return digest(*value)
    return np.asarray(value, "<f4").tobytes() if isinstance(value, float | np.floating | np.ndarray) else value
