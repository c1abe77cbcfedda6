"""The config of the audio tower."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmrec.config.section import Fraction, Positive, Section


class AudioConfig(Section):
    """The audio tower."""

    rate: Annotated[int, Field(ge=4000, le=48000)] = 16000
    """Sampling rate that recordings are brought to, Hz."""
    seconds: Annotated[float, Field(ge=0.1, le=30.0)] = 2.0
    """Longest part of a recording that is read, from its beginning."""
    window_ms: Annotated[float, Field(ge=5.0, le=200.0)] = 40.0
    """Length of a spectrum's window, milliseconds."""
    hop_ms: Annotated[float, Field(ge=2.0, le=200.0)] = 20.0
    """Distance of two windows, milliseconds."""
    bands: Annotated[int, Field(ge=8, le=128)] = 40
    """Mel bands of a spectrum."""
    channels: Positive = 96
    """Width of the convolutions."""
    layers: Annotated[int, Field(ge=1, le=6)] = 3
    """Convolutions, one upon the other; each halves the number of frames."""
    dropout: Fraction = 0.2
    """Share of the pooled values dropped in training."""
    time_shift: Fraction = 0.1
    """Shift in training, drawn from +- this share of the recording."""
    time_masks: Annotated[int, Field(ge=0, le=8)] = 2
    """Stretches of time that are hidden in training."""
    time_mask: Fraction = 0.1
    """Longest such stretch, as a share of the recording."""
    band_masks: Annotated[int, Field(ge=0, le=8)] = 2
    """Groups of neighbouring bands that are hidden in training."""
    band_mask: Fraction = 0.1
    """Largest such group, as a share of the bands."""

    @property
    def window_samples(self) -> int:
        """Samples of a window."""
        return round(self.rate * self.window_ms / 1000)

    @property
    def hop_samples(self) -> int:
        """Samples from one window to the next."""
        return round(self.rate * self.hop_ms / 1000)

    @property
    def frames(self) -> int:
        """Most frames of a recording."""
        return -(-round(self.rate * self.seconds) // self.hop_samples)
