"""Serves the input of the image tower by item row: cached features, or pixels."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

import numpy as np

from mmrec.data.features import Draw, Features, FeatureSource
from mmrec.data.standardise import Standardisation, standardisation

Augment = Callable[[np.ndarray, np.ndarray], np.ndarray]


class ImageFeatures(FeatureSource):
    """Pooled backbone features: `image_features` float32 [R, F], the mean over an item's photos, and `image_present`.

    Args:
      values: float32 [E, V, F], memory-mapped or not; V views of each photo, the first one unchanged.
      places: int64 [N + 1, P], where each row's photos stand in `values`; -1: no photo.
    """

    def __init__(self, values: np.ndarray, places: np.ndarray):
        self.values, self.places = values, places

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        places = self.places[rows]  # [R, P]
        has, views = places >= 0, self.values.shape[1]
        mean = np.zeros((len(rows), self.values.shape[2]), np.float32)
        for number in range(places.shape[1]):
            some = has[:, number]
            # With augmented views only those are drawn: the unchanged one is what the item is judged and served by.
            view = draw.rng.integers(1, views, some.sum()) if draw and views > 1 else 0
            photos = self.values[places[some, number], view]
            mean[some] = mean[some] + photos if number else photos
        if places.shape[1] > 1:
            mean /= np.maximum(has.sum(axis=1, keepdims=True), 1).astype(np.float32)
        return {"image_features": mean, "image_present": has.any(axis=1)}

    def standardisation(self) -> Standardisation:
        """Returns mean and deviation over the catalog's distinct photos, unchanged."""
        return standardisation(self.values[:, 0], np.unique(self.places[self.places >= 0]))


class PixelFeatures(FeatureSource):
    """Photos for a backbone that trains, one per item.

    Every item reads its pooled features from a table without gradients; up to `per_step` of the right answers of a step
    also bring their pixels, from which the image tower computes their features anew. So a step costs the same whatever
    its histories name.

    Args:
      pixels: uint8 [E, S, S, 3], memory-mapped or not.
      places: int64 [N + 1], where each row's photo stands in `pixels`; -1: no photo.
      per_step: most photos with a gradient in a step.
      augment: (float32 [P, S, S, 3] 0..255, seeds int64 [P, 2]) -> the same, changed at random. None: unchanged.
      folder: holds the table, in a nameless file that disappears with the process. None: the system's.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        places: np.ndarray,
        per_step: int,
        augment: Augment | None,
        folder: str | os.PathLike | None = None,
    ):
        self._pixels, self._places, self._per_step, self._augment = pixels, places, per_step, augment
        self._used = np.unique(places[places >= 0])  # the store may hold other catalogs' photos
        self._folder = folder
        self._table: ImageFeatures | None = None

    def refresh(self, encode: Callable[[np.ndarray], np.ndarray], batch: int = 64) -> None:
        """Computes all features anew; at most `batch` photos and their features are in memory.

        Args:
          encode: uint8 [B, S, S, 3] -> float32 [B, F].
          batch: photos at once.
        """
        with tempfile.TemporaryFile(dir=self._folder) as file:
            for start in range(0, len(self._used), batch):
                part = np.asarray(encode(self._pixels[self._used[start : start + batch]]), np.float32)
                file.write(part.tobytes())
            file.flush()
            values = np.memmap(file, np.float32, mode="r", shape=(len(self._used), 1, part.shape[1]))
        places = np.where(self._places >= 0, np.searchsorted(self._used, self._places), -1)
        self._table = ImageFeatures(values, places[:, np.newaxis])

    def standardisation(self) -> Standardisation:
        """Returns mean and deviation over the catalog's distinct photos, as last computed."""
        return self._table.standardisation()

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        features = self._table.rows(rows)
        if draw is None:
            return features
        able = draw.positive[features["image_present"][draw.positive]]
        at = draw.rng.permutation(able)[: self._per_step]
        pixels = np.asarray(self._pixels[self._places[rows[at]]], np.float32)
        if self._augment and len(at):
            pixels = self._augment(pixels, draw.rng.integers(0, 2**31, (len(at), 2)))
        return features | {"pixels": pixels, "pixels_at": at.astype(np.int32)}
