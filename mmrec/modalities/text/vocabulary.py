"""Learns vocabularies on the catalog's texts, or loads them from files."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.preset import load_preset_tokenizer
from mmrec.preprocess.text import MAX_BYTES, TextEncoder, normalise
from mmrec.preprocess.tokenizers import (
    PADDING,
    UNKNOWN,
    BytePairs,
    SentencePieces,
    Tokenizer,
    WordPieces,
    Words,
    byte_letters,
    part_unspaced,
    words_of,
)

_KEY = "item.text.vocabulary"


def learn_text_encoder(config: TextConfig, columns: Mapping[str, np.ndarray]) -> TextEncoder:
    """Returns the encoder that the config names; its vocabulary is learnt on the catalog, or read from files.

    Args:
      config: tokenizer, vocabulary, tokens per column.
      columns: arrays of str [N] by name.

    Raises:
      InputError: the vocabulary or the preset cannot be read, or `max_tokens` names other columns.
    """
    limits = config.limits(list(columns))
    limits = config.max_tokens if isinstance(config.max_tokens, int) else limits  # then any columns can be read
    if config.encoder == "pretrained":
        return TextEncoder(load_preset_tokenizer(config.preset), limits)
    if config.vocabulary is not None:
        return TextEncoder(load_tokenizer(config.tokenizer, Path(config.vocabulary)), limits)
    texts = [text for column in columns.values() for text in column if text]
    batches = tf.data.Dataset.from_tensor_slices(texts or [""]).batch(1024).map(normalise)
    if not any(len(words_of(batch).flat_values) for batch in batches):  # learners fail on no word at all
        return TextEncoder(Words([PADDING, UNKNOWN]), limits)
    return TextEncoder(_LEARNERS[config.tokenizer](batches, config.vocabulary_size), limits)


def load_tokenizer(kind: str, path: Path) -> Tokenizer:
    """Reads a ready-made vocabulary: see `item.text.vocabulary`.

    Raises:
      InputError: it cannot be read, or is none.
    """
    try:
        if kind == "bytepair":
            names = [path / "vocabulary.json", path / "vocab.json"]
            numbers = json.loads(next((name for name in names if name.exists()), names[0]).read_text(encoding="utf-8"))
            lines = (path / "merges.txt").read_text(encoding="utf-8").split("\n")
            return BytePairs(numbers, [line for line in lines if line.count(" ") == 1 and not line.startswith("#ver")])
        if kind == "sentencepiece":
            return SentencePieces(path.read_bytes())
        tokens = dict.fromkeys(path.read_text(encoding="utf-8").splitlines())
    except OSError as error:
        raise InputError(
            f"`{_KEY}`: {error.filename or path} cannot be read: {error.strerror}. Give what `item.text.tokenizer: "
            f"{kind}` reads, or null to learn a vocabulary on the catalog."
        ) from None
    except (ValueError, AttributeError, TypeError, RuntimeError, tf.errors.OpError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(
            f"`{_KEY}`: {path} is no vocabulary of `item.text.tokenizer: {kind}`. Received: "
            f"{said or type(error).__name__}. Give what that tokenizer reads, or null to learn one on the catalog."
        ) from None
    ordered = [PADDING, UNKNOWN, *(token for token in tokens if token not in ("", PADDING, UNKNOWN))]
    return WordPieces(ordered) if kind == "wordpiece" else Words(ordered)


def _words(batches: tf.data.Dataset, size: int) -> Words:
    """The most frequent words; ties by name, not by the order of the file."""
    counts = Counter(word.decode() for batch in batches for word in words_of(batch).flat_values.numpy())
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return Words([PADDING, UNKNOWN, *ordered[: size - 2]])


def _word_pieces(batches: tf.data.Dataset, size: int) -> WordPieces:
    # keras-nlp's own learner passes no threshold on: pieces seen under 10 times would fall apart into letters.
    from tensorflow_text.tools.wordpiece_vocab.bert_vocab_from_dataset import bert_vocab_from_dataset

    learn = {"lower_thresh": 2, "num_iterations": 2}
    return WordPieces(bert_vocab_from_dataset(batches.map(part_unspaced), size, [PADDING, UNKNOWN], {}, learn)[:size])


def _byte_pairs(batches: tf.data.Dataset, size: int) -> BytePairs:
    from tokenizers import Tokenizer as Learner
    from tokenizers import models, pre_tokenizers, trainers

    learner = Learner(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)  # parts words as `BytePairs` does
    letters = list(byte_letters().values())
    trainer = trainers.BpeTrainer(vocab_size=size - 2, min_frequency=2, initial_alphabet=letters, show_progress=False)
    learner.train_from_iterator(_sorted(batches), trainer)
    learnt = json.loads(learner.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in learnt["merges"]]
    return BytePairs(learnt["vocab"], merges)


def _sentence_pieces(batches: tf.data.Dataset, size: int) -> SentencePieces:
    import sentencepiece

    model, texts = io.BytesIO(), _sorted(batches)
    letters = Counter(letter for text in texts for letter in text)
    ordered = sorted(letters, key=lambda letter: (-letters[letter], letter))
    # Learning fails where letters alone fill the vocabulary, as in a large Chinese catalog: rare ones stay unknown.
    rare = dict.fromkeys(map(ord, ordered[size // 2 :]), " ")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(text.translate(rare) for text in texts),
        model_writer=model,
        model_type="unigram",
        vocab_size=size - 1,  # and padding
        hard_vocab_limit=False,  # a small catalog has fewer pieces
        character_coverage=1.0,
        normalization_rule_name="nmt_nfkc",  # its own, e.g. full-width letters
        max_sentence_length=MAX_BYTES,  # it leaves longer texts out
        unk_id=0,
        bos_id=-1,
        eos_id=-1,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    return SentencePieces(model.getvalue())


def _sorted(batches: tf.data.Dataset) -> list[str]:
    """Returns the texts in an order that does not depend on the catalog's."""
    return sorted(text.decode() for batch in batches for text in batch.numpy() if text)


_LEARNERS: Mapping[str, Callable[[Iterable[tf.Tensor], int], Tokenizer]] = {
    "word": _words,
    "wordpiece": _word_pieces,
    "bytepair": _byte_pairs,
    "sentencepiece": _sentence_pieces,
}
