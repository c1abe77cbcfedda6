"""The raw fields of a catalog's items, as the export reads them, and what tells one content from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmrec import schema
from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.feature_store import digest

RawField = str | bytes | float | np.ndarray | list[bytes]
"""A text, id or category, an encoded file or several, a number, or a feature vector, float32 [F]."""


class RawItems:
    """Reads raw fields of items, one at a time: photos and recordings are read from their files.

    Args:
      catalog: the items.
      config: names what is read of them.
      names: what training called the columns, see `refreshing.columns`; None: as `config` does.
    """

    def __init__(self, catalog: Catalog, config: Config, names: Mapping[str, Any] | None = None):
        self._catalog, self._image = catalog, config.item.image
        self.fields = schema.item_fields(
            config.item.modalities, config.data.catalog.model_dump(), names, config.item.image.max_pixels
        )

    def item(self, item: int) -> dict[str, RawField]:
        """Returns the raw fields of one item (0-based) by signature input, in the order of the modalities."""
        return {field.input: self._read(field, item) for field in self.fields}

    def digest(self, item: int) -> str:
        """Returns the content digest of one item (0-based)."""
        return item_digest(self.item(item))

    def columns(self, items: Sequence[Mapping[str, RawField]]) -> dict[str, np.ndarray]:
        """Returns the raw fields of S items (what `item` gave) by signature input: float32 or objects [S, ...]."""
        kinds = {field.input: np.float32 if field.kind in ("number", "vector") else object for field in self.fields}
        return {name: np.array([item[name] for item in items], kind) for name, kind in kinds.items()}

    def _read(self, field: schema.Field, item: int) -> RawField:
        catalog = self._catalog
        if field.modality == schema.IMAGE:
            image = self._image
            photos = [catalog.photo_bytes(item, number, image.max_pixels) for number in range(image.max_photos)]
            return photos[0] if len(photos) == 1 else photos
        if field.modality == schema.AUDIO:
            return catalog.sound_bytes(item)
        if field.modality == schema.FEATURES:
            return catalog.features[item]
        if field.modality == schema.ITEM_ID:
            return catalog.item_ids[item]
        return (catalog.text if field.modality == schema.TEXT else catalog.attributes)[field.column][item]


def item_digest(raw: Mapping[str, RawField]) -> str:
    """Returns the SHA-256 of an item's raw fields, hexadecimal."""
    return digest(*map(_hashed, raw.values())).hex()


def _hashed(value: RawField) -> bytes | str:
    if isinstance(value, list):
        return digest(*value)
    return np.asarray(value, "<f4").tobytes() if isinstance(value, float | np.floating | np.ndarray) else value
