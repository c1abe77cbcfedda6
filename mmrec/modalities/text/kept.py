"""Saves a learnt text encoder as a file and loads it again: the same texts give the same tokens."""

from __future__ import annotations

import base64
import json

from mmrec.preprocess.text import TextEncoder
from mmrec.preprocess.tokenizers import BytePairs, SentencePieces, Tokenizer, WordPieces, Words


def text_encoder_to_bytes(encoder: TextEncoder) -> bytes:
    """Returns a JSON file of the tokenizer and the tokens kept of each column.

    Args:
      encoder: with a tokenizer of `preprocess.tokenizers`; that of a preset is no learnt one.
    """
    content = {"max_tokens": encoder.max_tokens, **_tokenizer(encoder.tokenizer)}
    return json.dumps(content, ensure_ascii=False).encode()


def bytes_to_text_encoder(content: bytes) -> TextEncoder:
    """Returns the encoder that `text_encoder_to_bytes` wrote."""
    kept = json.loads(content)
    if kept["tokenizer"] == "sentencepiece":
        tokenizer: Tokenizer = SentencePieces(base64.b64decode(kept["model"]))
    elif kept["tokenizer"] == "bytepair":
        pieces = {piece: number for number, piece in enumerate(kept["vocabulary"])}
        tokenizer = BytePairs(pieces, kept["merges"], kept["spaced"])
    else:
        tokenizer = {"word": Words, "wordpiece": WordPieces}[kept["tokenizer"]](kept["vocabulary"])
    return TextEncoder(tokenizer, kept["max_tokens"])


def _tokenizer(tokenizer: Tokenizer) -> dict[str, object]:
    if isinstance(tokenizer, SentencePieces):
        return {"tokenizer": "sentencepiece", "model": base64.b64encode(tokenizer.model).decode()}
    if isinstance(tokenizer, BytePairs):
        pieces = tokenizer.vocabulary[2:]  # padding and unknown are put before them again
        return {
            "tokenizer": "bytepair",
            "vocabulary": pieces,
            "merges": tokenizer.merges,
            "spaced": tokenizer.spaced,
        }
    name = {Words: "word", WordPieces: "wordpiece"}[type(tokenizer)]
    return {"tokenizer": name, "vocabulary": tokenizer.vocabulary}
