"""Tokenizers: normalised texts to tokens, in the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

PADDING, UNKNOWN = "[PAD]", "[UNK]"  # tokens 0 and 1

# Marks and joiners go on with a word, but begin none: those of emoji are between words as emoji are.
_INSIDE = r"\p{M}\x{200C}\x{200D}"
_BETWEEN_WORDS = rf"[^\p{{L}}\p{{N}}{_INSIDE}]+[{_INSIDE}]*"
# Scripts without spaces between words. Han, Thai, Lao, Khmer and Burmese characters stand alone with the marks that
# belong to them; a run of Hiragana, or of Katakana, is a word. Finding words would take a dictionary.
_ALONE = r"\p{Han}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNSPACED = rf"([{_ALONE}][{_INSIDE}]*|[\p{{Hiragana}}ー]+|[\p{{Katakana}}ー]+)"


class Tokenizer(tf.Module):
    """What tokenizers share.

    Attributes:
      vocabulary: str by token; 0 is padding.
      table: what a SavedModel must hold beside the graph; None where the graph holds all.
      lower: whether texts are lower-cased before.
      start: token that opens an item's sequence; None: there is none.
      end: token that closes each column's sequence; None: there is none.
    """

    vocabulary: Sequence[str]
    table: object | None = None
    lower: bool = True
    start: int | None = None
    end: int | None = None

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Tokenises: normalised texts, string [B], to int32 [B, None]."""
        raise NotImplementedError


def part_unspaced(text: tf.Tensor) -> tf.Tensor:
    """Puts spaces around the characters of scripts that are written without any.

    Args:
      text: string [B], normalised.

    >>> part_unspaced(tf.constant(["红色mug", "赤いマグカップ"])).numpy()[0].decode()
    '红 色 mug'
    """
    return tf.strings.strip(tf.strings.regex_replace(tf.strings.regex_replace(text, _UNSPACED, r" \1 "), " +", " "))


def words_of(text: tf.Tensor) -> tf.RaggedTensor:
    """Returns the words, string [B, None]: runs of letters and digits of any script."""
    return tf.strings.split(tf.strings.regex_replace(part_unspaced(text), _BETWEEN_WORDS, " "))


class Words(Tokenizer):
    """Whole words.

    Args:
      vocabulary: by token; padding and unknown stand first.
    """

    def __init__(self, vocabulary: Sequence[str]):
        super().__init__(name="words")
        self.vocabulary = list(vocabulary)
        keys, values = tf.constant(self.vocabulary), tf.range(len(self.vocabulary), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), default_value=1)

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        words = words_of(text)
        return words.with_flat_values(self.table.lookup(words.flat_values))


class WordPieces(Tokenizer):
    """keras-nlp WordPiece.

    Args:
      vocabulary: by token; padding and unknown stand first, pieces inside words begin with `##`.

    Source: Schuster & Nakajima, ICASSP 2012, doi:10.1109/ICASSP.2012.6289079; keras_nlp.tokenizers.WordPieceTokenizer.
    """

    def __init__(self, vocabulary: Sequence[str]):
        import keras_nlp

        super().__init__(name="word_pieces")
        self.vocabulary = list(vocabulary)
        self._tokenizer = keras_nlp.tokenizers.WordPieceTokenizer(self.vocabulary, oov_token=UNKNOWN)

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        return tf.cast(self._tokenizer(part_unspaced(text)), tf.int32)


class SentencePieces(Tokenizer):
    """keras-nlp SentencePiece; a piece's token is its number in the model plus 1.

    Args:
      model: the content of a `.model` file.

    Source: Kudo & Richardson, EMNLP 2018, doi:10.18653/v1/D18-2012; keras_nlp.tokenizers.SentencePieceTokenizer.
    """

    def __init__(self, model: bytes):
        import keras_nlp

        super().__init__(name="sentence_pieces")
        self.model = model
        self._tokenizer = keras_nlp.tokenizers.SentencePieceTokenizer(model)
        self.vocabulary = [PADDING, *self._tokenizer.get_vocabulary()]
        self.table = self._tokenizer._sentence_piece  # holds the model

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        return tf.cast(self._tokenizer(text), tf.int32) + 1


def byte_letters() -> dict[int, str]:
    """Returns the character that stands for each byte in byte-pair vocabularies, as GPT-2 writes them.

    >>> byte_letters()[ord(" ")]
    'Ġ'
    """
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}


class BytePairs(Tokenizer):
    """Byte pairs, as keras-nlp's tokenizer merges them.

    keras-nlp's own keeps each word that it meets in a table that grows as long as a server runs. This one gives the
    same tokens without memory; a word is read in parts of at most 32 characters, so that no text can stall a server.

    Args:
      vocabulary: piece -> number; bytes are written as in `byte_letters`.
      merges: pairs `left right`, the first learnt first.
      spaced: whether a text's first word is read as if a space stood before it, like any other.

    Source: Sennrich et al., ACL 2016, doi:10.18653/v1/P16-1162; GPT-2's splitting of words.
    """

    _PART = r"('(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)"
    _LONG = "([^\n]{32})"
    _NONE = 2**31 - 1  # the rank of a pair that is not merged

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[str], spaced: bool = True):
        super().__init__(name="byte_pairs")
        self.merges, self.spaced = list(merges), spaced
        pieces = sorted(vocabulary, key=vocabulary.get)
        self.vocabulary = [PADDING, UNKNOWN, *pieces]
        token = {piece: at for at, piece in enumerate(pieces, start=2)}
        self._byte_tokens = [token.get(letter, 1) for _, letter in sorted(byte_letters().items())]
        pairs = [merge.split(" ") for merge in merges]
        pairs = [(left, right) for left, right in pairs if {left, right, left + right} <= token.keys()]
        self._merged = [token[left + right] for left, right in pairs] or [0]
        keys = [token[left] * len(self.vocabulary) + token[right] for left, right in pairs] or [0]
        ranks = range(len(keys)) if pairs else [self._NONE]
        initial = tf.lookup.KeyValueTensorInitializer(
            tf.constant(keys, tf.int64), tf.constant(list(ranks), tf.int64), tf.int64, tf.int64
        )
        self.table = tf.lookup.StaticHashTable(initial, default_value=self._NONE)

    def __call__(self, text: tf.Tensor) -> tf.RaggedTensor:
        text = tf.where(text == "", "", tf.strings.join([" ", text])) if self.spaced else text
        lines = tf.strings.regex_replace(tf.strings.regex_replace(text, self._PART, "\\1\n"), self._LONG, "\\1\n")
        parts = tf.strings.split(lines, "\n")  # [B, P]
        parts = tf.ragged.boolean_mask(parts, parts != "")
        distinct, places = tf.unique(parts.flat_values)
        tokens = tf.gather(self._merge(distinct), places)  # [all parts, L]
        merged = parts.with_flat_values(tf.RaggedTensor.from_tensor(tokens, padding=0))
        return merged.merge_dims(1, 2)

    def _merge(self, words: tf.Tensor) -> tf.Tensor:
        """Words, string [W], to their tokens, int32 [W, L], 0 at the end."""
        values = tf.strings.bytes_split(words).to_tensor("")  # [W, L]
        raw = tf.io.decode_raw(values, tf.uint8, fixed_length=4)[..., 0]  # at least one byte is there to read
        tokens = tf.where(values == "", 0, tf.gather(self._byte_tokens, tf.cast(raw, tf.int32)))
        tokens = tf.pad(tokens, [[0, 0], [0, 1]])  # there is always a pair to look at

        def merge_once(tokens: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            wide = tf.cast(tokens, tf.int64)
            rank = self.table.lookup(wide[:, :-1] * len(self.vocabulary) + wide[:, 1:])  # [W, L - 1]
            best, place = tf.reduce_min(rank, axis=1), tf.argmin(rank, axis=1, output_type=tf.int32)
            merges = best < self._NONE
            merged = tf.gather(self._merged, tf.where(merges, best, 0))[:, tf.newaxis]
            at, place = tf.range(tf.shape(tokens)[1])[tf.newaxis], place[:, tf.newaxis]
            moved = tf.pad(tokens[:, 1:], [[0, 0], [0, 1]])
            after = tf.where(at < place, tokens, tf.where(at == place, merged, moved))
            return tf.where(merges[:, tf.newaxis], after, tokens), tf.reduce_any(merges)

        shapes = [tf.TensorShape([None, None]), tf.TensorShape([])]
        more = tf.size(tokens) > 0
        return tf.while_loop(lambda _, more: more, merge_once, [tokens, more], shape_invariants=shapes)[0]
