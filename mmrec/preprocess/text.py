"""Normalises and tokenises texts, by the same functions in training and in the export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import tensorflow as tf

from mmrec.preprocess.text_invisible import remove_invisible
from mmrec.preprocess.text_markup import strip_markup
from mmrec.preprocess.text_nfc import compose
from mmrec.preprocess.tokenizers import Tokenizer
from mmrec.traced import traced

MAX_BYTES = 20_000  # read of each text: far above what any tower keeps, far below what would stall a server
_STRINGS = tf.TensorSpec([None], tf.string)


def normalise(text: tf.Tensor, lower: bool = True) -> tf.Tensor:
    """Makes texts comparable with core operations only.

    They become valid UTF-8 in NFC, without markup and invisible characters, in lower case, with single spaces.

    Args:
      text: string [B]; bytes that are not UTF-8 count as spaces; those after the first `MAX_BYTES` are not read.
      lower: whether letters become lower case.

    >>> normalise(tf.constant(["  Red\\tMUG<br>&amp; more "])).numpy().tolist()
    [b'red mug & more']
    """
    return _normaliser(lower)(text)


@cache
def _normaliser(lower: bool) -> Callable[[tf.Tensor], tf.Tensor]:
    # One graph for all encoders and signatures: it is large.
    return tf.function(partial(_normalise, lower=lower), input_signature=[_STRINGS])


def _normalise(text: tf.Tensor, lower: bool) -> tf.Tensor:
    text = tf.strings.substr(text, 0, MAX_BYTES)
    text = tf.strings.unicode_transcode(
        text, "UTF-8", "UTF-8", errors="replace", replacement_char=0x20, replace_control_characters=True
    )
    text = remove_invisible(strip_markup(text))
    text = compose(tf.strings.lower(text, encoding="utf-8") if lower else text)
    return tf.strings.strip(tf.strings.regex_replace(text, r"[\s\p{Z}\p{Cc}\x{FFFD}]+", " "))


class TextEncoder(tf.Module):
    """Turns the text columns of an item into one sequence of tokens.

    Args:
      tokenizer: normalised texts -> tokens.
      max_tokens: tokens kept of a column; one number for all, or one for each.

    Attributes:
      vocabulary: str by token; 0 is padding, 1 unknown.
      table: what a SavedModel must hold beside the graph; None where the graph holds all.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int | Sequence[int]):
        super().__init__(name="text_encoder")
        self.tokenizer, self.max_tokens = tokenizer, max_tokens
        self.vocabulary, self.table = tokenizer.vocabulary, tokenizer.table
        # Traced once for each number of columns. Eagerly, keras-nlp would take another, Python-only way.
        self._graph = cache(lambda count: traced(self._encode, [[_STRINGS] * count]))

    def limits(self, columns: int) -> list[int]:
        """Returns the tokens kept of each of so many columns."""
        return [self.max_tokens] * columns if isinstance(self.max_tokens, int) else list(self.max_tokens)

    def __call__(self, columns: Sequence[tf.Tensor]) -> tf.Tensor:
        """Tokenises each column, keeps its first tokens, and joins them.

        Args:
          columns: F tensors, string [B].

        Returns:
          int32 [B, T], T being `width(F)`; an item's tokens stand first, 0 pads.
        """
        return self._graph(len(columns))(list(columns))

    def _encode(self, columns: Sequence[tf.Tensor]) -> tf.Tensor:
        limits = self.limits(len(columns))
        texts = tf.split(normalise(tf.concat(columns, axis=0), self.tokenizer.lower), len(columns))
        parts = [self._part(text, limit) for text, limit in zip(texts, limits, strict=True)]
        joined = tf.concat(parts, axis=1) if len(parts) > 1 else parts[0]
        if self.tokenizer.start is not None:
            joined = tf.concat([_where(joined.row_lengths() > 0, self.tokenizer.start), joined], axis=1)
        return joined.to_tensor(shape=[None, self.width(len(columns))])

    def width(self, columns: int) -> int:
        """Returns T, the most tokens of an item with so many columns."""
        marks = columns * (self.tokenizer.end is not None) + (self.tokenizer.start is not None)
        return sum(self.limits(columns)) + marks

    def _part(self, text: tf.Tensor, limit: int) -> tf.RaggedTensor:
        """The tokens of one column's normalised texts, int32 [B, None]; those of an empty one have no end either."""
        tokens = self.tokenizer(text)[:, :limit]
        if self.tokenizer.end is None:
            return tokens
        return tf.concat([tokens, _where(tokens.row_lengths() > 0, self.tokenizer.end)], axis=1)


def _where(rows: tf.Tensor, token: int) -> tf.RaggedTensor:
    """Returns int32 [B, 0 or 1]: the token in the rows (bool [B]) that hold."""
    return tf.RaggedTensor.from_row_lengths(tf.fill([tf.math.count_nonzero(rows)], token), tf.cast(rows, tf.int64))
