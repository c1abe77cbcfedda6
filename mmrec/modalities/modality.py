"""What a modality is to the jobs: one file from the catalog's columns to the tower and the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
from tf_keras import layers

from mmrec.data.features import FeatureSource
from mmrec.modalities.reader import Reader


class Modality:
    """One thing that items show or say. Constructed as `Modality(config, tables)`, which prepares the features.

    Attributes:
      source: the features by item row, for training and evaluation.
      counts: what was left out, by reason, for the metrics.
    """

    source: FeatureSource
    counts: Mapping[str, int] = {}

    def tower(self) -> layers.Layer:
        """Returns a new tower: features (first dimension B) -> float32 [B, D], and bool [B], whether it is present."""
        raise NotImplementedError

    def reader(self) -> Reader:
        """Returns what reads raw inputs in the export, to the same features as `source`."""
        raise NotImplementedError

    def learnt(self) -> Mapping[str, bytes]:
        """Returns what was learnt on the catalog, as files by name: a later training on a changed one takes it up."""
        return {}

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of a pretrained network that trains; they move at `training.backbone_learning_rate`."""
        return ()

    def refresh(self, tower: layers.Layer) -> None:
        """Brings features that depend on weights in training up to date."""
