"""The config of the tower of attributes."""

from __future__ import annotations

from mmrec.config.section import Fraction, Positive, Section


class AttributesConfig(Section):
    """The tower of attributes."""

    embedding_dim: Positive = 16
    """Width of a category's embedding."""
    units: Positive = 64
    """Width of the layer that reads all attributes together."""
    dropout: Fraction = 0.1
    """Share of the attributes' values dropped in training."""
