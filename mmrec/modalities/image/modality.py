"""Photos as a modality: a frozen backbone's features are cached, a trainable one reads pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.feature_store import FeatureStore, digest
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.media import read_files
from mmrec.data.shop_tables import Tables
from mmrec.modalities.catalog_columns import catalog_column, single_field
from mmrec.modalities.image.augmentation import augment
from mmrec.modalities.image.checks import ImageChecks
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.image.content import PhotoContent
from mmrec.modalities.image.features import ImageFeatures, PixelFeatures
from mmrec.modalities.image.photos import Photos
from mmrec.modalities.image.reader import ImageReader
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import IMAGE
from mmrec.progress import progress
from mmrec.traced import traced

if TYPE_CHECKING:
    from mmrec.modalities.image.tower import Backbone, ImageTower

PHOTO_VERSION = "4"  # of decoding, resizing and augmentation: a change here makes cached photo features void


class ImageModality(Modality):
    """The photos.

    A frozen backbone's features are cached, with `item.image.views` augmented versions when augmentation is on; for one
    that trains, the decoded photos are.

    Attributes:
      backbone: pixels -> features.
    """

    name, Settings, checks = IMAGE, ImageConfig, ImageChecks
    reserved = ("image_bytes",)
    reasons = {"image_missing": "photos absent", "image_unreadable": "photos unreadable"}  # noqa: RUF012

    @classmethod
    def require_settings(cls, config: Config) -> None:
        from mmrec.modalities.image.backbones import find_backbone

        find_backbone(config.item.image.backbone)

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        return [catalog_column(config, cls.name)]

    @classmethod
    def read(cls, table: pd.DataFrame, rows: np.ndarray, config: Config, as_written: bool = False) -> PhotoContent:
        column, image = table[config.data.catalog.image], config.item.image
        read = read_files(column, cls.name, config.data.catalog, rows, several=True)
        return PhotoContent(read.files, read.counts, most=image.max_photos, max_pixels=image.max_pixels)

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> list[schema.Field]:
        field = single_field(config, names, cls.name, cls.reserved[0], schema.BYTES_KIND)
        limit = config.item.image.max_pixels
        return [replace(field, status=schema.ROW_STATUS_IMAGE, max_pixels=limit)]

    @classmethod
    def identity_files(cls, config: Config) -> Sequence[str]:
        return [config.item.image.weights] if config.item.image.weights else []

    @classmethod
    def notes(cls, config: Config) -> Sequence[str]:
        image = config.item.image
        said = [
            f"Photos: JPEG, PNG, GIF (first frame), BMP, resized to {image.size} pixels; WebP, AVIF and TIFF are not "
            "read (those of the catalog were turned into PNG before training)."
        ]
        if image.weights is None:
            said.append(
                "The image backbone began with random weights: expect less of photos than with pretrained ones."
            )
        return said

    def __init__(self, config: Config, tables: Tables):
        from mmrec.modalities.image.tower import Backbone

        image, catalog = config.item.image, tables.catalog
        self._item = config.item
        self.backbone = Backbone(image, config.seed)
        photos = tf.TensorSpec([None, image.size, image.size, 3])
        graph = traced(lambda pixels: self.backbone(pixels, training=False), [photos])
        self._encode = lambda pixels: graph(tf.cast(pixels, tf.float32)).numpy()
        photos = Photos(catalog.content[self.name], catalog, config.data.catalog, image.size)
        if image.trainable == "none":
            store, views = _feature_store(config, self.backbone)
            places = photos.fill(store, lambda pixels, digests: views(self._encode, pixels, digests), progress)
            self.source = ImageFeatures(store.values, places)
        else:
            store = _store(config, "pixels", (image.size, image.size, 3), "uint8")
            places = photos.fill(store, lambda pixels, _: pixels, progress)
            change = image.augmentation and (lambda pixels, seeds: augment(pixels, image.augmentation, seeds).numpy())
            per_step, folder = config.training.images_per_step, config.data.cache_dir
            self.source = PixelFeatures(store.values, places[:, 0], per_step, change, folder)
            self.source.refresh(self._encode)
        counts = {"image_unreadable": photos.unreadable(places), "image_surplus": photos.surplus}
        self.counts = {reason: count for reason, count in counts.items() if count}

    @property
    def _trains(self) -> bool:
        return self._item.image.trainable != "none"

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        return self.backbone.trainable_variables if self._trains else ()

    def tower(self) -> ImageTower:
        from mmrec.modalities.image.tower import ImageTower

        backbone = self.backbone if self._trains else None
        return ImageTower(self._item.image, *self.source.standardisation(), self._item.dim, backbone=backbone)

    def learnt(self) -> dict[str, bytes]:
        mean, deviation = self.source.standardisation()
        return {"image.npz": arrays_to_bytes(mean=mean, deviation=deviation)}

    def reader(self) -> ImageReader:
        image = self._item.image
        return ImageReader(self.backbone, image.size, image.max_photos, image.max_pixels)

    def refresh(self, tower: ImageTower) -> None:
        if self._trains:
            self.source.refresh(self._encode)
            tower.standardise(*self.source.standardisation())


def _feature_store(config: Config, backbone: Backbone) -> tuple[FeatureStore, Callable]:
    """Returns the store of a frozen backbone's features, and what computes an entry: float32 [B, 1 + V, F]."""
    image = config.item.image
    count = image.views if image.augmentation else 0
    key = [image.augmentation.model_dump_json(), str(count), str(config.seed)] if image.augmentation else []
    shape = (1 + count, backbone.feature_dim)

    def views(encode: Callable, pixels: np.ndarray, digests: list[bytes]) -> np.ndarray:
        content = np.frombuffer(b"".join(digest[:4] for digest in digests), np.uint32).astype(np.int64)
        parts = [encode(pixels)]
        for view in range(count):
            seeds = np.stack([content, np.full(len(content), config.seed * 1000 + view)], axis=1)
            parts.append(encode(augment(pixels, image.augmentation, tf.constant(seeds))))
        return np.stack(parts, axis=1)

    return _store(config, "features", shape, "float32", image.backbone, backbone.digest(), *key), views


def _store(config: Config, kind: str, shape: tuple, dtype: str, *key: str) -> FeatureStore:
    image = config.item.image
    name = digest(kind, PHOTO_VERSION, str(image.size), str(image.max_pixels), *key).hex()[:16]
    return FeatureStore(Path(config.data.cache_dir) / f"{kind}-{name}", shape, dtype)
