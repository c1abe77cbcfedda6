"""The config of the text tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mmrec.config.section import DataPath, Fraction, PathMark, Positive, Section
from mmrec.errors import InputError


def _at_least_one(value: int | Mapping[str, int]) -> int | Mapping[str, int]:
    if min([value] if isinstance(value, int) else value.values(), default=0) < 1:
        raise ValueError("must be at least 1, for all columns or for each")
    return value


class TextConfig(Section):
    """The text tower."""

    tokenizer: Literal["wordpiece", "word", "bytepair", "sentencepiece"] = "wordpiece"
    """How texts are parted: keras-nlp WordPiece, whole words, byte pairs (as GPT-2), or keras-nlp SentencePiece. Learnt
    on the catalog, or read from `vocabulary`. Unused with `encoder: pretrained`, whose preset brings its own."""
    vocabulary: DataPath | None = None
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
    preset: Annotated[str, PathMark(is_name=lambda value: "/" not in value)] | None = None
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
