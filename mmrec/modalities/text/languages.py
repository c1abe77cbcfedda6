"""Detects the languages of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

UNSURE = "unsure"
_SHORTEST, _LONGEST = 20, 500  # bytes from which a text says enough; characters that are read
_CONFIDENT = 0.5  # names and lists of words stay below it, sentences do not
_RARE = 0.01  # share of the texts below which a language is more often a mistake than there


def language_shares(texts: Iterable[str]) -> dict[str, float]:
    """Returns the share of each language among the texts.

    Args:
      texts: those that are blank are left out.

    Returns:
      ISO 639 code -> share, the largest first; `unsure` for texts that are too short, for lists and names, and for
      languages of less than 1% of the texts.
    """
    counts = Counter(_language(text) for text in texts if text.strip())
    shares = {language: count / counts.total() for language, count in counts.items()}
    certain = {language: share for language, share in shares.items() if language != UNSURE and share >= _RARE}
    ordered = dict(sorted(certain.items(), key=lambda one: (-one[1], one[0])))
    unsure = (counts.total() - sum(counts[language] for language in certain)) / max(1, counts.total())
    return ordered | ({UNSURE: unsure} if unsure else {})


def _language(text: str) -> str:
    """Returns the ISO 639 code of a text's language, or `unsure`."""
    if len(text.encode()) < _SHORTEST:
        return UNSURE
    language, probability = _identifier().classify(text[:_LONGEST])
    return UNSURE if probability < _CONFIDENT or language == "zxx" else language  # zxx: no language at all


@cache
def _identifier():
    """Returns a py3langid identifier; loading takes a second and 100 MB."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
