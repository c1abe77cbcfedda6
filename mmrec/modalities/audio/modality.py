"""Recordings as a modality: spectrograms are computed once and cached."""

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
from mmrec.data.media import FileContent, read_files
from mmrec.data.shop_tables import Tables
from mmrec.modalities.audio.checks import AudioChecks
from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.audio.reader import AudioReader
from mmrec.modalities.audio.sounds import AudioFeatures, Change, Spectrograms, fill_sounds
from mmrec.modalities.audio.spec_augment import spec_augment
from mmrec.modalities.catalog_columns import catalog_column, single_field
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import AUDIO
from mmrec.progress import progress
from mmrec.traced import traced

if TYPE_CHECKING:
    from mmrec.modalities.audio.tower import AudioTower

SOUND_VERSION = "1"  # of decoding, resampling and spectrograms: a change here makes cached ones void


class AudioModality(Modality):
    """The recordings."""

    name, Settings, checks = AUDIO, AudioConfig, AudioChecks
    reserved = ("audio_bytes",)
    reasons = {"audio_missing": "recordings absent", "audio_unreadable": "recordings unreadable"}  # noqa: RUF012

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        return [catalog_column(config, cls.name)]

    @classmethod
    def read(cls, table: pd.DataFrame, rows: np.ndarray, config: Config, as_written: bool = False) -> FileContent:
        return read_files(table[config.data.catalog.audio], cls.name, config.data.catalog, rows)

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> list[schema.Field]:
        field = single_field(config, names, cls.name, cls.reserved[0], schema.BYTES_KIND)
        return [replace(field, status=schema.ROW_STATUS_AUDIO)]

    def __init__(self, config: Config, tables: Tables):
        audio, catalog = config.item.audio, tables.catalog
        self._item = config.item
        self._reader, store = AudioReader(audio), _store(config)
        sounds = catalog.content[self.name]
        places = fill_sounds(sounds, catalog, config.data.catalog, store, _spectrograms(self._reader), progress)
        self.source = AudioFeatures(store.values, places, audio.bands, _change(audio))
        unreadable = int((~sounds.missing & (places[1:] < 0)).sum())
        self.counts = {"audio_unreadable": unreadable} if unreadable else {}

    def tower(self) -> AudioTower:
        from mmrec.modalities.audio.tower import AudioTower

        return AudioTower(self._item.audio, *self.source.standardisation(), self._item.dim)

    def learnt(self) -> dict[str, bytes]:
        mean, deviation = self.source.standardisation()
        return {"audio.npz": arrays_to_bytes(mean=mean, deviation=deviation)}

    def reader(self) -> AudioReader:
        return self._reader


def _store(config: Config) -> FeatureStore:
    audio = config.item.audio
    key = [str(value) for value in (audio.rate, audio.seconds, audio.window_ms, audio.hop_ms, audio.bands)]
    name = digest("mel", SOUND_VERSION, *key).hex()[:16]
    return FeatureStore(Path(config.data.cache_dir) / f"mel-{name}", (1 + audio.frames * audio.bands,))


def _spectrograms(reader: AudioReader) -> Spectrograms:
    graph = traced(lambda files: reader({"audio_bytes": files}).features, [*reader.inputs.values()])

    def spectrograms(files: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        features = graph(tf.constant(files, tf.string))
        return features["audio_mel"].numpy(), features["audio_frames"].numpy()

    return spectrograms


def _change(audio: AudioConfig) -> Change | None:
    if not (audio.time_shift or audio.time_masks or audio.band_masks):
        return None
    graph = traced(
        lambda mel, frames, seeds: spec_augment(mel, frames, audio, seeds),
        [tf.TensorSpec([None, None, audio.bands]), tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 2], tf.int64)],
    )
    return lambda mel, frames, seeds: tuple(tensor.numpy() for tensor in graph(mel, frames, seeds))
