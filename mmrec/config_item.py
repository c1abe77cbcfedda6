"""The config of the candidate side: one section per modality, and their fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mmrec.config_section import Fraction, LocalPath, Positive, Section
from mmrec.errors import InputError

Modality = Literal["image", "text", "audio", "attributes", "features", "item_id"]


def _at_least_one(value: int | Mapping[str, int]) -> int | Mapping[str, int]:
    if min([value] if isinstance(value, int) else value.values(), default=0) < 1:
        raise ValueError("must be at least 1, for all columns or for each")
    return value


class AugmentationConfig(Section):
    """Random photo changes, with the names and meanings of Keras's `ImageDataGenerator`."""

    rotation_range: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Rotation, drawn from +- this many degrees."""
    width_shift_range: Annotated[int | float, Field(ge=0)] = 0.0
    """Horizontal shift, drawn from +- this share of the width; 1.0 and more: pixels; a whole number n: -(n-1), ..., n-1
    whole pixels."""
    height_shift_range: Annotated[int | float, Field(ge=0)] = 0.0
    """Vertical shift, likewise."""
    shear_range: Annotated[float, Field(ge=0, lt=90)] = 0.0
    """Shear angle, drawn from +- this many degrees."""
    zoom_range: float | tuple[float, float] = 0.0
    """Zoom per axis, drawn from 1 +- this, or from [low, high]; below 1 enlarges."""
    brightness_range: tuple[float, float] | None = None
    """Brightness factor, drawn from [low, high]; 1 leaves the photo as it is."""
    channel_shift_range: Annotated[float, Field(ge=0, le=255)] = 0.0
    """Value added to each channel, drawn from +- this, on the 0-255 scale."""
    horizontal_flip: bool = False
    """Mirror left to right in half of the draws."""
    vertical_flip: bool = False
    """Mirror top to bottom in half of the draws."""
    fill_mode: Literal["nearest", "reflect", "wrap", "constant"] = "nearest"
    """What appears where the photo was moved away."""
    cval: Annotated[float, Field(ge=0, le=255)] = 0.0
    """Fill value of `fill_mode: constant`, on the 0-255 scale."""
    rescale: float | None = None
    """Null or 1. Photos keep the 0-255 scale, which the backbone's own preprocessing reads in training and serving."""

    @model_validator(mode="after")
    def _low_to_high(self) -> AugmentationConfig:
        if self.brightness_range and not 0 <= self.brightness_range[0] <= self.brightness_range[1]:
            raise ValueError("`brightness_range` must be [low, high] with 0 <= low <= high")
        zoom = self.zoom_range
        if not (0 < zoom[0] <= zoom[1] if isinstance(zoom, tuple) else 0 <= zoom < 1):
            raise ValueError("`zoom_range` must be a number >= 0 and < 1, or [low, high] with 0 < low <= high")
        if self.rescale not in (None, 1.0):
            raise ValueError(
                "`rescale` must be null or 1: the backbone has its own preprocessing, which reads photos of 0-255 in "
                "training and serving alike. Remove `rescale`"
            )
        return self


class ImageConfig(Section):
    """The image tower."""

    backbone: Annotated[str, AfterValidator(str.lower)] = "resnet50"
    """Network of `tf_keras.applications` that reads the photo, by its name: `resnet50`, `mobilenetv2`, `vgg16`, ..."""
    weights: str | None = "imagenet"
    """`imagenet` (fetched from the public hub at first use), the path of a weights file, or null for random weights."""
    size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Width and height that photos are resized to, pixels."""
    max_pixels: Annotated[int, Field(ge=1, le=150_000_000)] = 50_000_000
    """Width times height above which a photo is unreadable. It is refused by its header, before it takes memory; so is
    a JPEG of more than 100 scans."""
    trainable: Literal["none", "top", "all"] = "none"
    """`none`: features are computed once and cached; `top`: the last stage trains, from the last halving of the feature
    map on; `all`: every layer does."""
    max_photos: Annotated[int, Field(ge=1, le=64)] = 1
    """Photos (or frames of a clip) read per item, the first ones; their features are averaged. More than 1 needs
    `trainable: none`."""
    augmentation: AugmentationConfig | None = None
    """Random photo changes in training. Null: none."""
    views: Positive = 4
    """Augmented versions per photo that are cached when the backbone is frozen; one is drawn each time it is used."""
    dropout: Fraction = 0.1
    """Share of the photo's features dropped in training."""

    @model_validator(mode="after")
    def _frozen_with_several(self) -> ImageConfig:
        if self.max_photos > 1 and self.trainable != "none":
            raise ValueError(
                f"`max_photos` must be 1 when the backbone trains (`trainable: {self.trainable}`). Set "
                "`trainable: none`, or leave `max_photos` out"
            )
        return self


class TextConfig(Section):
    """The text tower."""

    tokenizer: Literal["wordpiece", "word", "bytepair", "sentencepiece"] = "wordpiece"
    """How texts are parted: keras-nlp WordPiece, whole words, byte pairs (as GPT-2), or keras-nlp SentencePiece. Learnt
    on the catalog, or read from `vocabulary`. Unused with `encoder: pretrained`, whose preset brings its own."""
    vocabulary: LocalPath | None = None
    """Ready-made vocabulary. `word`, `wordpiece`: a text file, one token a line; `bytepair`: a folder with
    `vocabulary.json` (or `vocab.json`) and `merges.txt`; `sentencepiece`: a `.model` file. Texts are lower-cased
    before. Null: learnt on the catalog."""
    vocabulary_size: Annotated[int, Field(ge=8)] = 8000
    """Most tokens in the vocabulary that is learnt on the catalog; at least 258 with `bytepair`."""
    max_tokens: Annotated[int | Mapping[str, int], AfterValidator(_at_least_one)] = 24
    """Tokens kept of each text column: one number for all, or a number for each by its name."""
    encoder: str = "lstm"
    """What reads the tokens in order: `lstm`, `gru`, `convolutional`, `transformer`; `mean` (of the token embeddings,
    whatever their order, the cheapest); `latent` (the sum of token vectors that are fitted on the catalog by latent
    semantic analysis, and then stay); `pretrained` (a keras-nlp backbone, see `preset`); or your own class as
    `package.module:Class`."""
    bidirectional: bool = False
    """Whether `lstm` and `gru` read from the end, too."""
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    """Blocks of `transformer`, one upon the other."""
    heads: Annotated[int, Field(ge=1, le=16)] = 4
    """Attention heads of `transformer`."""
    embedding_dim: Positive = 64
    """Width of a token's embedding."""
    units: Positive = 64
    """Width of the encoder: of the recurrent state (in each direction), of each convolution, of the Transformer."""
    dropout: Fraction = 0.2
    """Share of the token embeddings' values (with `pretrained`, of its outputs) dropped in training."""
    latent_dim: Positive = 256
    """Values of a `latent` text that its tower reads; with `retrieval.neighbours` it is fitted to as many as that."""
    preset: str | None = None
    """Backbone and tokenizer of `encoder: pretrained`: a local preset folder (a path with at least one `/`), a
    keras-nlp preset name such as `bert_small_en_uncased`, or a handle such as `hf://user/model`, fetched at first
    use."""
    trainable: Literal["none", "lora", "all"] = "none"
    """What trains of a pretrained backbone: `none` (its outputs are computed once and cached), `lora` (low-rank
    adapters on its attention), `all`. What trains moves at `training.backbone_learning_rate`."""
    lora_rank: Annotated[int, Field(ge=1, le=256)] = 8
    """Rank of the low-rank adapters."""

    @model_validator(mode="after")
    def _possible(self) -> TextConfig:
        if self.encoder == "pretrained" and self.preset is None:
            raise ValueError("`encoder: pretrained` needs `preset`: a local preset folder, or a keras-nlp preset name")
        if self.tokenizer == "bytepair" and self.vocabulary is None and self.vocabulary_size < 258:
            raise ValueError("`tokenizer: bytepair` needs a `vocabulary_size` of 258 or more: 256 bytes stand in it")
        return self

    def limits(self, columns: Sequence[str]) -> list[int]:
        """Returns the tokens kept of each text column.

        Raises:
          InputError: `max_tokens` names other columns than these.
        """
        if not isinstance(self.max_tokens, Mapping):
            return [self.max_tokens] * len(columns)
        if set(self.max_tokens) != set(columns):
            raise InputError(
                f"`item.text.max_tokens` must be one number, or name each column of `data.catalog.text`: "
                f"{', '.join(columns)}. Received: {', '.join(self.max_tokens) or 'no column'}."
            )
        return [self.max_tokens[column] for column in columns]


class AttributesConfig(Section):
    """The tower of attributes."""

    embedding_dim: Positive = 16
    """Width of a category's embedding."""
    units: Positive = 64
    """Width of the layer that reads all attributes together."""
    dropout: Fraction = 0.1
    """Share of the attributes' values dropped in training."""


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


class FeaturesConfig(Section):
    """The tower of ready-made feature vectors."""

    dropout: Fraction = 0.1
    """Share of a vector's values dropped in training."""


class ItemIdConfig(Section):
    """The item-id tower."""

    dropout: Fraction = 0.3
    """Share of the items per step whose id is hidden, so that their content must answer for them; never of an item
    that has nothing else."""
    mapping: bool = True
    """Whether an item without training events gets an id vector, too, mapped from its other modalities by a ridge
    regression after training. It may cost other answers 2% of their NDCG@10 where a tenth of the items are such;
    what does not help on validation is left out."""
    initial: Literal["auto", "random", "neighbours"] = "auto"
    """What the vectors start from: `random`, or `neighbours`, factors of the similarities of item-kNN on the training
    events, so that items that were taken near each other begin near each other. `auto` is `neighbours` where at most
    50,000 items have training events. Where the factors hardly tell items apart, as in a shop of a few, they are
    random."""


class ItemConfig(Section):
    """The candidate side: what an item shows and says, fused into one embedding."""

    modalities: Annotated[tuple[Modality, ...], Field(min_length=1)] = ("image", "text", "item_id")
    """Which towers the item embedding is made of."""
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

    @model_validator(mode="after")
    def _distinct(self) -> ItemConfig:
        if len(set(self.modalities)) != len(self.modalities):
            raise ValueError("each modality may stand once in `modalities`")
        return self
