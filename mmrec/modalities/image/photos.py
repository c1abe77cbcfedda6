"""Decodes and encodes photos, once for each distinct photo, and caches them by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from mmrec.config.data import CatalogConfig
from mmrec.data.catalog import Catalog
from mmrec.data.feature_store import FeatureStore
from mmrec.errors import InputError
from mmrec.modalities.image.content import PhotoContent
from mmrec.preprocess.images import decode_photos

Encode = Callable[[np.ndarray, Sequence[bytes]], np.ndarray]
Progress = Callable[[str, int, int], None]


class Photos:
    """The photos of a catalog, stored under the digest of their content.

    Args:
      photos: the photos of the items; of each the first `most` are read.
      catalog: the items, for messages.
      config: says what an unreadable photo means.
      size: width and height to resize to, pixels.

    Attributes:
      surplus: photos that were left out, since their items have more than `most`.
    """

    def __init__(self, photos: PhotoContent, catalog: Catalog, config: CatalogConfig, size: int):
        self._photos, self._catalog, self._config, self._size = photos, catalog, config, size
        counts = np.array([len(photos.of(item)) for item in range(len(catalog))], np.int64)
        kept = np.minimum(counts, photos.most)
        self.surplus = int((counts - kept).sum())
        self._item = np.repeat(np.arange(len(catalog)), kept)  # [E]
        self._number = np.arange(len(self._item)) - np.repeat(np.cumsum(kept) - kept, kept)  # [E]
        self._digests = [photos.file_digest(*map(int, place)) for place in zip(self._item, self._number, strict=True)]

    def fill(self, store: FeatureStore, encode: Encode, progress: Progress, batch: int = 64) -> np.ndarray:
        """Encodes the photos that the store lacks.

        Args:
          store: grows by one entry per distinct readable photo; what it has already is not computed again.
          encode: (uint8 [B, size, size, 3], B digests) -> [B, *store.shape].
          progress: called with ("photos", done, total) after each batch.
          batch: photos held in memory at once.

        Returns:
          int64 [N + 1, P], the positions in `store.values` of each item row's photos, -1 where none is readable.

        Raises:
          InputError: a photo is unreadable and `data.catalog.on_missing_image` is `error`, or no photo is readable.
        """
        owner = {digest: at for at, digest in enumerate(self._digests)}
        missing, limit = store.missing(self._digests), self._photos.max_pixels
        for start in range(0, len(missing), batch):
            part = missing[start : start + batch]
            places = [self._place(owner[digest]) for digest in part]
            encoded = tf.constant([self._photos.photo(*place) for place in places])
            pixels, readable = (tensor.numpy() for tensor in decode_photos(encoded, self._size, limit))
            if not readable.all() and self._config.on_missing_image == "error":
                raise InputError(self._unreadable(*places[int(np.argmin(readable))]))
            good = [digest for digest, ok in zip(part, readable, strict=True) if ok]
            if good:
                store.append(good, encode(pixels[readable], good))
            progress("photos", min(start + batch, len(missing)), len(missing))
        places = np.full((len(self._catalog) + 1, self._photos.most), -1)
        places[self._item + 1, self._number] = store.places(self._digests)
        if (places < 0).all():
            raise InputError(
                f"{self._config.path}, column `{self._config.image}`: no item has a readable photo. Correct "
                "`data.catalog.image` and `image_dir`, or leave `image` out of `item.modalities`."
            )
        return places

    def unreadable(self, places: np.ndarray) -> int:
        """Returns how many photos cannot be read, given what `fill` returned."""
        return int((places[self._item + 1, self._number] < 0).sum())

    def _place(self, at: int) -> tuple[int, int]:
        return int(self._item[at]), int(self._number[at])

    def _unreadable(self, item: int, number: int) -> str:
        photo, most = self._photos.of(item)[number], self._photos.max_pixels
        received = photo if isinstance(photo, str) else f"{len(photo):,} bytes"
        return (
            f"{self._config.path}, row {self._catalog.source_rows[item] + 1:,}, column `{self._config.image}`: must "
            f"be a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF photo of at most {most:,} pixels. Received: "
            f"{received}, which cannot be decoded. Replace it, or set `data.catalog.on_missing_image: mask` to train "
            "the item without it."
        )
