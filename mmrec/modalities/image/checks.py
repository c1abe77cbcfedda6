"""What `mmrec check` reports about photos."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from mmrec.data.catalog import Catalog
from mmrec.data.findings import Finding, counted
from mmrec.errors import InputError
from mmrec.modalities.checks import Audit, Checks, Cost, spread
from mmrec.modalities.image.audit import audit_photos, photo_findings
from mmrec.preprocess.images import decode_photos
from mmrec.traced import traced

if TYPE_CHECKING:
    from mmrec.modalities.image.modality import ImageModality


class ImageChecks(Checks):
    """Opens photos, and measures how long they take."""

    called, probed = "a photo", 32

    def require_files(self) -> None:
        weights = self.settings.weights
        if weights not in (None, "imagenet") and not Path(weights).is_file():
            raise InputError(
                f"`item.image.weights`: no such file. Received: {weights!r}. Give the path of a weights file of "
                f"{self.settings.backbone} without its classifier, `imagenet`, or null for random weights."
            )

    def caches(self) -> bool:
        return True

    def audit(self, catalog: Catalog, deep: bool, user_ids: Collection[str]) -> Audit:
        named = np.flatnonzero(~catalog.content[self.name].missing)
        if not len(named):
            text = "No item has a photo, and `item.modalities` has `image`."
            remedy = "Correct `data.catalog.image` and `image_dir`, or leave `image` out of `item.modalities`."
            return Audit("photos", named, named, {}, [Finding("error", "no_photo", text, remedy)], usable=named)
        opened = named if deep else spread(named, self.probed)
        some = catalog.take(opened)
        seen = audit_photos(some.content[self.name], self.settings.size)
        facts, stops = seen.facts(), self.config.data.catalog.on_missing_image == "error"
        unreadable = opened[seen.unreadable]
        usable = np.setdiff1d(spread(named, self.probed), unreadable)
        findings, lines = photo_findings(seen, some, stops), [("photos", counted(facts))]
        return Audit("photos", opened, named, facts, findings, lines, usable, unreadable)

    def cost(self, modality: ImageModality, catalog: Catalog, usable: np.ndarray | None) -> Cost:
        image, content = self.settings, catalog.content[self.name]
        frozen, augmented = image.trainable == "none", bool(image.augmentation)
        views = 1 + (image.views if augmented and frozen else 0)
        named = sum(len(content.of(item)[: image.max_photos]) for item in range(len(catalog)))
        per_photo = self._seconds(modality, [content.photo(item) for item in usable])
        entry = 4 * modality.backbone.feature_dim * views if frozen else 3 * image.size**2
        backbone = sum(int(np.prod(one.shape)) * one.dtype.size for one in modality.backbone.variables)
        times = f"{named:,} photos{f' x {views} views' * (views > 1)}"
        return Cost(
            seconds={"photos": per_photo * named * views},
            disk_bytes={"photo_cache": entry * named},
            export_bytes=backbone if frozen else 0,
            basis=[f"{len(usable)} photos, decoded and encoded once warm; times {times}"],
        )

    def _seconds(self, modality: ImageModality, photos: list[bytes]) -> float:
        """Returns the seconds that decoding and encoding a photo takes."""
        image, encoded = self.settings, tf.constant(photos)
        pixels = tf.TensorSpec([None, image.size, image.size, 3])
        encode = traced(lambda pixels: modality.backbone(pixels, training=False), [pixels])

        def run() -> float:
            begin = time.monotonic()
            encode(tf.cast(decode_photos(encoded, image.size, image.max_pixels)[0], tf.float32)).numpy()
            return (time.monotonic() - begin) / len(photos)

        run()
        return run()
