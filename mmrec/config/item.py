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
    """The candidate side: what an item shows and says, fused into one embedding."""

    modalities: Annotated[tuple[ModalityName, ...], Field(min_length=1)] = DEFAULT
    """Which towers the item embedding is made of; your own as `package.module:Class`, its settings in `custom`."""
    dim: Positive = 64
    """Width D of every tower's output and of the item and query embeddings."""
    fusion: str = "gated"
    """How the modality vectors become one: `gated` (weights per item and dimension), `concatenation`, `sum`, `mean`,
    `weighted` (a learnt weight per modality), `attention` (weights per item); `late` (a score per modality, mixed by
    learnt weights), `late_per_query` (by weights that depend on the query); or your own class as
    `package.module:Class`. The late ones make embeddings as many times `dim` wide as there are modalities."""
    modality_dropout: Fraction = 0.0
    """Share of the items per step of which a modality is hidden, drawn for each modality but the id (see
    `item.item_id.dropout`); never the last that an item has."""
    image: ImageConfig = ImageConfig()
    text: TextConfig = TextConfig()
    attributes: AttributesConfig = AttributesConfig()
    audio: AudioConfig = AudioConfig()
    features: FeaturesConfig = FeaturesConfig()
    item_id: ItemIdConfig = ItemIdConfig()
    custom: Mapping[str, Mapping[str, Any]] = {}
    """Settings of modalities of your own, by their names."""

    @model_validator(mode="after")
    def _distinct(self) -> ItemConfig:
        if len(set(self.modalities)) != len(self.modalities):
            raise ValueError("each modality may stand once in `modalities`")
        return self
