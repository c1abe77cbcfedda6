"""Opens recordings and finds those that are unreadable, silent, too short, too long or duplicates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import tensorflow as tf

from mmrec.data.catalog import Catalog
from mmrec.data.findings import Finding, about_items
from mmrec.data.media import File, FileContent, content
from mmrec.modalities.audio.config import AudioConfig
from mmrec.preprocess.wav import read_wav, read_wav_header

SILENT = 1e-3  # loudest sample, of 1, up to which a recording says nothing: 60 dB below the loudest that there is
SHARED = 10  # items with one recording from which it looks like a placeholder


@dataclass(frozen=True)
class SoundAudit:
    """The result of opening recordings; item positions are 0-based and sorted.

    Attributes:
      recordings: items that name a recording.
      distinct: different files among them, by content (SHA-256), the unreadable ones included.
      unreadable: items whose recording cannot be decoded.
      silent: items whose recording has no sound in the part that the model reads.
      short: items whose recording is shorter than one window of the model.
      cut: items whose recording is longer than the model reads.
      duplicates: groups of items with the same file, the largest first.
    """

    recordings: int
    distinct: int
    unreadable: list[int]
    silent: list[int]
    short: list[int]
    cut: list[int]
    duplicates: list[list[int]]

    def facts(self) -> dict:
        """Returns the counts, ready for JSON."""
        return {
            "recordings": self.recordings,
            "distinct": self.distinct,
            "unreadable": len(self.unreadable),
            "silent": len(self.silent),
            "short": len(self.short),
            "cut": len(self.cut),
            "duplicate_groups": len(self.duplicates),
            "items_with_duplicate": sum(map(len, self.duplicates)),
        }


def audit_sounds(sounds: FileContent, audio: AudioConfig) -> SoundAudit:
    """Opens all recordings, each distinct file once and one at a time.

    Args:
      sounds: the recordings of the items.
      audio: how they are read.
    """
    groups: dict[bytes, list[int]] = {}
    states: dict[bytes, tuple[bool, bool, bool, bool]] = {}
    for item, file in enumerate(sounds.files):
        if file is not None:
            encoded = _read(file)
            key = hashlib.sha256(encoded).digest()
            groups.setdefault(key, []).append(item)
            if key not in states:
                states[key] = _state(encoded, audio)

    def items(place: int) -> list[int]:
        return sorted(item for key, group in groups.items() if states[key][place] for item in group)

    return SoundAudit(
        sum(map(len, groups.values())),
        len(groups),
        *map(items, range(4)),
        sorted((group for group in groups.values() if len(group) > 1), key=lambda group: (-len(group), group)),
    )


def sound_findings(audit: SoundAudit, catalog: Catalog, stops: bool) -> list[Finding]:
    """Says what is wrong with the recordings.

    Args:
      audit: what was heard.
      catalog: the items.
      stops: whether training refuses unreadable recordings (`data.catalog.on_missing_audio: error`).
    """
    shared = [item for group in audit.duplicates if len(group) >= SHARED for item in group]
    doubles = [item for group in audit.duplicates if len(group) < SHARED for item in group]
    replace = "Replace them" + (", or set `data.catalog.on_missing_audio: mask`." if stops else ".")
    kinds = [
        ("error" if stops else "warning", "unreadable_recordings", audit.unreadable,
         "{} recordings cannot be read: they must be WAV files of 8, 16, 24 or 32 bits.", replace),
        ("warning", "silent_recordings", audit.silent, "{} recordings are silent where they are read.",
         "Replace them, or cut off the silence at their beginning."),
        ("warning", "short_recordings", audit.short, "{} recordings are shorter than `item.audio.window_ms`.",
         "Replace them by longer ones."),
        ("note", "cut_recordings", audit.cut, "{} recordings are longer than `item.audio.seconds`, and are cut.",
         "Raise `item.audio.seconds` if what follows says more."),
        ("warning", "shared_recordings", shared, f"{{}} items share a recording with {SHARED - 1} others or more.",
         "Leave it out where it is a placeholder: it says nothing."),
        ("note", "duplicate_recordings", doubles, "{} items have the recording of another item.",
         "Merge items that are one."),
    ]  # fmt: skip
    return [
        about_items(severity, code, text.format(f"{len(items):,}"), remedy, catalog, items)
        for severity, code, items, text, remedy in kinds
        if items
    ]


def _state(encoded: bytes, audio: AudioConfig) -> tuple[bool, bool, bool, bool]:
    """Returns whether a recording is unreadable, silent, short, and cut."""
    readable, seconds, loudest = (one.numpy() for one in _listen(encoded, audio.seconds))
    if not readable:
        return True, False, False, False
    return False, bool(loudest <= SILENT), bool(seconds < audio.window_ms / 1000), bool(seconds > audio.seconds)


@tf.function(input_signature=[tf.TensorSpec([], tf.string), tf.TensorSpec([], tf.float64)], autograph=False)
def _listen(encoded: tf.Tensor, most: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns whether a file is readable, its length in seconds, and the loudest sample of the first `most` of them."""
    header = read_wav_header(encoded)
    rate = tf.cast(tf.maximum(header.rate, 1), tf.float64)
    part = tf.minimum(header.frames, tf.cast(tf.math.ceil(most * rate), tf.int64))
    loudest = tf.cond(
        header.readable, lambda: tf.reduce_max(tf.abs(read_wav(encoded, header, part))), lambda: tf.zeros([])
    )
    return header.readable, tf.cast(header.frames, tf.float64) / rate, loudest


def _read(file: File) -> bytes:
    try:
        return content(file)
    except OSError:
        return b""
