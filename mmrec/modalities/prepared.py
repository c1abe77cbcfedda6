"""The modalities in use, each with its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import tensorflow as tf

from mmrec.data.features import JoinedFeatures
from mmrec.modalities.modality import Modality

if TYPE_CHECKING:
    from tf_keras import layers


@dataclass(frozen=True)
class Prepared:
    """The prepared modalities, which training, evaluation and export share.

    Attributes:
      modalities: by name, in the order of the config.
      features: of all of them, by item row.
    """

    modalities: Mapping[str, Modality]
    features: JoinedFeatures

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of pretrained networks that train, of all modalities."""
        return [variable for modality in self.modalities.values() for variable in modality.pretrained_variables]

    @property
    def counts(self) -> dict[str, int]:
        """What the modalities left out, by reason."""
        return {reason: count for modality in self.modalities.values() for reason, count in modality.counts.items()}

    def learnt(self) -> dict[str, bytes]:
        """Returns the files of all modalities, see `Modality.learnt`."""
        return {name: content for one in self.modalities.values() for name, content in one.learnt().items()}

    def refresh(self, towers: Mapping[str, layers.Layer]) -> None:
        """Recomputes the features that depend on weights that train; `towers` are the modalities', by name."""
        for name, modality in self.modalities.items():
            modality.refresh(towers[name])
