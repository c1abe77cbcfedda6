"""Computes spectrograms of recordings, once for each distinct recording, and caches them by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mmrec.config.data import CatalogConfig
from mmrec.data.catalog import Catalog
from mmrec.data.feature_store import FeatureStore
from mmrec.data.features import Draw, Features, FeatureSource
from mmrec.data.media import FileContent, content
from mmrec.errors import InputError

Spectrograms = Callable[[Sequence[bytes]], tuple[np.ndarray, np.ndarray]]
Change = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Progress = Callable[[str, int, int], None]


class AudioFeatures(FeatureSource):
    """Spectrograms: `audio_mel` float32 [R, T, M] and `audio_frames` int32 [R], T the longest of the rows asked for.

    Args:
      values: float32 [E, 1 + T * M], memory-mapped or not: the number of frames, then the spectrogram.
      places: int64 [N + 1], where each row's recording stands in `values`; -1: no recording.
      bands: M.
      change: (float32 [B, T, M], int32 [B], seeds int64 [B, 2]) -> the first two, changed at random. None: unchanged.
    """

    longest = frozenset({"audio_mel"})

    def __init__(self, values: np.ndarray, places: np.ndarray, bands: int, change: Change | None):
        self._values, self._places, self._bands, self._change = values, places, bands, change
        counts = np.append(values[:, 0], 0).astype(np.int32)
        self._frames = counts[places]  # [N + 1]; -1 is the 0 at the end

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        frames = self._frames[rows]
        longest = max(1, int(frames.max(initial=1)))
        mel = np.zeros((len(rows), longest, self._bands), np.float32)
        audible = frames > 0
        spectrograms = self._values[self._places[rows[audible]], 1 : 1 + longest * self._bands]
        mel[audible] = spectrograms.reshape(-1, longest, self._bands)
        if draw and self._change and audible.any():
            seeds = draw.rng.integers(0, 2**31, (int(audible.sum()), 2))
            mel[audible], frames[audible] = self._change(mel[audible], frames[audible], seeds)
        return {"audio_mel": mel, "audio_frames": frames}

    def standardisation(self, batch: int = 1024) -> tuple[np.ndarray, np.ndarray]:
        """Returns mean and standard deviation over the frames of the distinct recordings, float32 [M]."""
        used = np.unique(self._places[self._places >= 0])
        count, total, squares = 0.0, np.zeros(self._bands), np.zeros(self._bands)
        for start in range(0, len(used), batch):
            part = self._values[used[start : start + batch]]
            mel = part[:, 1:].reshape(len(part), -1, self._bands).astype(np.float64)  # 0 after a recording's end
            count += part[:, 0].sum()
            total += mel.sum(axis=(0, 1))
            squares += np.square(mel).sum(axis=(0, 1))
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        return mean.astype(np.float32), np.where(deviation > 1e-3, deviation, 1.0).astype(np.float32)


def fill_sounds(
    sounds: FileContent,
    catalog: Catalog,
    config: CatalogConfig,
    store: FeatureStore,
    spectrograms: Spectrograms,
    progress: Progress,
    batch: int = 64,
) -> np.ndarray:
    """Computes the spectrograms that the store lacks.

    Args:
      sounds: the recordings of the items.
      catalog: the items, for messages.
      config: says what an unreadable recording means.
      store: grows by one entry [1 + T * M] per distinct readable recording, see `AudioFeatures`.
      spectrograms: encoded files -> float32 [B, T, M] and int32 [B], frames; 0 where unreadable.
      progress: called with ("sounds", done, total) after each batch.
      batch: files held in memory at once.

    Returns:
      int64 [N + 1], each item row's position in `store.values`, -1 where there is no readable recording.

    Raises:
      InputError: one is unreadable and `data.catalog.on_missing_audio` is `error`, or none is readable.
    """
    digests = [b"" if none else sounds.file_digest(item) for item, none in enumerate(sounds.missing)]
    item_of = {digest: item for item, digest in enumerate(digests) if digest}
    missing = [digest for digest in store.missing(digests) if digest]
    for start in range(0, len(missing), batch):
        part = missing[start : start + batch]
        mel, frames = spectrograms([content(sounds.files[item_of[digest]]) for digest in part])
        good = frames > 0
        if not good.all() and config.on_missing_audio == "error":
            raise InputError(_unreadable(sounds, catalog, config, item_of[part[int(np.argmin(good))]]))
        entries = np.concatenate([frames[:, np.newaxis], mel.reshape(len(part), -1)], axis=1)[good]
        store.append([digest for digest, ok in zip(part, good, strict=True) if ok], entries)
        progress("sounds", min(start + batch, len(missing)), len(missing))
    places = np.concatenate([[-1], store.places(digests)])
    if (places < 0).all():
        raise InputError(
            f"{config.path}, column `{config.audio}`: no item has a readable recording. Correct "
            "`data.catalog.audio` and `audio_dir`, or leave `audio` out of `item.modalities`."
        )
    return places


def _unreadable(sounds: FileContent, catalog: Catalog, config: CatalogConfig, item: int) -> str:
    file = sounds.files[item]
    received = file if isinstance(file, str) else f"{len(file):,} bytes"
    return (
        f"{config.path}, row {catalog.source_rows[item] + 1:,}, column `{config.audio}`: must be a WAV recording of 8, "
        f"16, 24 or 32 bits. Received: {received}, which cannot be decoded. Replace it, or set "
        "`data.catalog.on_missing_audio: mask` to train the item without it."
    )
