"""The config of the tower of ready-made vectors."""

from __future__ import annotations

from mmrec.config.section import Fraction, Section


class FeaturesConfig(Section):
    """The tower of ready-made feature vectors."""

    dropout: Fraction = 0.1
    """Share of a vector's values dropped in training."""
