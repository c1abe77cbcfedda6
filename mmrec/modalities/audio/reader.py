"""Turns recordings into spectrograms inside an export."""

from __future__ import annotations

import tensorflow as tf

from mmrec import schema
from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.reader import STRINGS, Raw, Read
from mmrec.preprocess.audio import decode_audio, log_mel


class AudioReader:
    """Decodes and resamples recordings, and computes their spectrograms.

    Args:
      config: rate, length and bands.
    """

    resources = ()

    def __init__(self, config: AudioConfig):
        self.inputs = {"audio_bytes": STRINGS}
        self._config = config

    def __call__(self, raw: Raw) -> Read:
        samples, lengths, readable = decode_audio(raw["audio_bytes"], self._config.rate, self._config.seconds)
        mel, frames = log_mel(samples, lengths, self._config)
        unreadable = (raw["audio_bytes"] != "") & ~readable
        status = tf.where(unreadable, schema.ROW_STATUS_AUDIO, 0)
        return Read({"audio_mel": mel, "audio_frames": frames}, readable, status)
