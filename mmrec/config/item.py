"""The config of the candidate side: one section per modality, and their fusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from mmrec.config.section import Fraction, Positive, Section
from mmrec.modalities.attributes.config import AttributesConfig
from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.features.config import FeaturesConfig
from mmrec.modalities.image.config import ImageConfig
from mmrec.modalities.item_id.config import ItemIdConfig
from mmrec.modalities.names import DEFAULT, MODALITIES, checked_name
from mmrec.modalities.text.config import TextConfig

ModalityName = Annotated[
    str,
    AfterValidator(checked_name),
    WithJsonSchema({"anyOf": [{"enum": [*MODALITIES], "type": "string"}, {"pattern": ":", "type": "string"}]}),
]


class ItemConfig(Section):
    """The candidate side: the modalities of an item, and how they are fused into one embedding."""

    modalities: Annotated[tuple[ModalityName, ...], Field(min_length=1)] = DEFAULT
    """Modalities that the item embedding is made of, with one tower each. Your own: `package.module:Class`, with its
    settings in `custom`."""
    dim: Positive = 64
    """Width D of every tower's output and of the item and query embeddings."""
    fusion: str = "gated"
    """How the vectors of the modalities become one: `gated` (weights per item and dimension), `concatenation`, `sum`,
    `mean`, `weighted` (a learnt weight per modality), `attention` (weights per item), `late` (a score per modality,
    mixed with learnt weights), `late_per_query` (the same, with weights that depend on the query), or your own class as
    `package.module:Class`. With the late ones, embeddings are as many times `dim` wide as there are modalities."""
    modality_dropout: Fraction = 0.0
    """Share of the items in a training step from which a modality is hidden, drawn separately for each modality but the
    id (which has `item.item_id.dropout`). An item always keeps at least one modality."""
    image: ImageConfig = ImageConfig()
    text: TextConfig = TextConfig()
    attributes: AttributesConfig = AttributesConfig()
    audio: AudioConfig = AudioConfig()
    features: FeaturesConfig = FeaturesConfig()
    item_id: ItemIdConfig = ItemIdConfig()
    custom: Mapping[str, Mapping[str, Any]] = {}
    """Settings of your own modalities, by their names."""

    @model_validator(mode="after")
    def _distinct(self) -> ItemConfig:
        if len(set(self.modalities)) != len(self.modalities):
            raise ValueError("each modality may stand once in `modalities`")
        return self
