"""Rebuilds the tokenizer of a keras-nlp preset from operations that every server has."""

from __future__ import annotations

import tensorflow as tf

from mmrec.errors import InputError, loading_preset
from mmrec.preprocess.tokenizers import PADDING, BytePairs, Tokenizer


class PresetTokenizer(Tokenizer):
    """A keras-nlp tokenizer whose tokens are its own numbers plus 1, so that 0 can pad.

    Lower case, where the preset asks for it, comes from `normalise`: keras-nlp's own is no operation of stock servers.

    Args:
      tokenizer: of keras-nlp: WordPiece, SentencePiece or byte pairs, with tokens for start and end.
    """

    def __init__(self, tokenizer):
        import keras_nlp

        super().__init__(name="preset_tokenizer")
        kinds = keras_nlp.tokenizers
        if isinstance(tokenizer, kinds.BytePairTokenizer):
            own = BytePairs(tokenizer.vocabulary, tokenizer.merges, tokenizer.add_prefix_space)
            numbers = [tokenizer.vocabulary[piece] for piece in own.vocabulary[2:]]
            self.table, self.lower, self._own = own.table, False, own
            self._tokenize = lambda text: _renumbered(own(text), [-1, numbers[0], *numbers])
        elif isinstance(tokenizer, kinds.WordPieceTokenizer | kinds.SentencePieceTokenizer):
            self.lower = bool(getattr(tokenizer, "lowercase", False))
            if self.lower:
                tokenizer.lowercase = False
            self.table = getattr(tokenizer, "_sentence_piece", None)
            self._tokenize = tokenizer
        else:
            raise TypeError(f"its {type(tokenizer).__name__} is no WordPiece, SentencePiece or byte-pair tokenizer")
        self.vocabulary = [PADDING, *tokenizer.get_vocabulary()]
        self.start, self.end = (_special(tokenizer, kind) for kind in ("start_token_id", "end_token_id"))

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        return tf.cast(self._tokenize(text), tf.int32) + 1


def load_preset_tokenizer(preset: str) -> PresetTokenizer:
    """Loads the tokenizer of a preset.

    Args:
      preset: name, handle or folder; see `item.text.preset`.

    Raises:
      InputError: it cannot be fetched or read.
    """
    import keras_nlp

    with loading_preset(preset, "tokenizer"):
        tokenizer = keras_nlp.models.Tokenizer.from_preset(preset)
        if getattr(tokenizer, "strip_accents", False):
            raise InputError(
                f"`item.text.preset`: the tokenizer of {preset!r} strips accents, which a stock server cannot. "
                "Use a preset whose tokenizer keeps them."
            )
        return PresetTokenizer(tokenizer)


def _renumbered(tokens: tf.RaggedTensor, numbers: list[int]) -> tf.RaggedTensor:
    return tokens.with_flat_values(tf.gather(tf.constant(numbers), tokens.flat_values))


def _special(tokenizer, kind: str) -> int | None:
    number = getattr(tokenizer, kind, None)
    return None if number is None else int(number) + 1
