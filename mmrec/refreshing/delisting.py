"""Limits how many items of an export a new catalog may drop, and detects ids that are only spelt differently."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec.errors import InputError
from mmrec.scoring.history_files import no_item_of_export, read_histories, require_readable_ids
from mmrec.values import Spellings

_ALIKE = 0.5  # share of the delisted ids that a spelling must turn into ids of the catalog, or it is a coincidence


class DelistingLimit:
    """Refuses a catalog that drops too many items of an export.

    Args:
      path: the catalog, for messages.
      item_ids: the N ids of the export.
      max_delisted: the largest share of them that may be dropped, 0 to 1. With `histories` it also limits the share
        that dropped items have in the histories' entries.
      histories: a file of recent histories, see `mmrec.scoring.history_files`; None: all items count the same.

    Raises:
      InputError: `max_delisted` is not from 0 to 1, or the histories cannot be read or name no item of the export.
    """

    def __init__(
        self,
        path: str,
        item_ids: Sequence[str],
        max_delisted: float,
        histories: str | os.PathLike[str] | None = None,
    ):
        if isinstance(max_delisted, bool) or not isinstance(max_delisted, int | float) or not 0 <= max_delisted <= 1:
            raise InputError(f"`max_delisted` must be a number from 0 to 1. Received: {max_delisted!r}.")
        self._path, self._most, self._histories = path, max_delisted, histories
        self._items = pd.Index(item_ids, dtype=object)
        self._named = None if histories is None else _count(Path(histories), self._items)

    def require(self, left: Sequence[str] | np.ndarray, fault: str = "are not in it") -> None:
        """Checks how many items of the export are left.

        Args:
          left: ids of the items that the next version would have.
          fault: what is wrong with the others, for the message.

        Raises:
          InputError: too many would be dropped; the message names one, and how the catalog spells it.
        """
        lacking = ~self._items.isin(left)  # [N]
        share, recent = lacking.mean(), ""
        if self._named is not None:
            of_named = self._named[lacking].sum() / self._named.sum()
            share, recent = max(share, of_named), f", {of_named:.0%} of what {self._histories} names,"
        if share <= self._most:
            return
        one, other = _spelling(self._items[lacking], pd.Index(left, dtype=object).difference(self._items, sort=False))
        raise InputError(
            f"{self._path}: {lacking.sum():,} of {len(lacking):,} items of the export{recent} {fault} (such as "
            f"{one!r}{other and f'; the catalog has {other!r}'}); at most {self._most:.0%} may be delisted. Correct "
            "the catalog or `data.catalog.item_id`, or set `max_delisted` to 1 to delist them."
        )


def _count(path: Path, items: pd.Index) -> np.ndarray:
    """Returns int64 [N], how often each item occurs in the histories."""
    require_readable_ids(path, items)
    counts, example, spellings = np.zeros(len(items) + 1, np.int64), "", Spellings(items)
    for part in read_histories(path):
        named = [item for history in part.histories for item in history]
        example = example or next(iter(named), "")
        counts += np.bincount(spellings.places(named) + 1, minlength=len(counts))
    if not counts[1:].any():
        raise no_item_of_export(path, "the export", example)
    return counts[1:]


def _spelling(delisted: pd.Index, new: pd.Index) -> tuple[str, str]:
    """Returns a delisted id, and the catalog's spelling of it; "" if most delisted ids have no other spelling there."""
    for key in _KEYS:
        spelt = {key(item): item for item in reversed(new) if key(item)}
        pairs = [(item, spelt[key(item)]) for item in delisted if key(item) in spelt]
        if len(pairs) >= _ALIKE * len(delisted):
            return pairs[0]
    return delisted[0], ""


def _folded(item: str) -> str:
    return unicodedata.normalize("NFKC", item).strip().casefold()


def _number(item: str) -> str:
    return re.sub(r"\.0+$", "", _folded(item)).lstrip("0")


def _alphanumeric(item: str) -> str:
    return re.sub(r"[\W_]+", "", _number(item))


def _last_part(item: str) -> str:
    return re.split(r"[\W_]+", _number(item))[-1].lstrip("0")


def _last_digits(item: str) -> str:
    return re.sub(r".*\D", "", _number(item), flags=re.DOTALL).lstrip("0")


_KEYS: Sequence[Callable[[str], str]] = (_folded, _number, _alphanumeric, _last_part, _last_digits)
"""What two spellings of an id may share, likeliest first: all but case, `.0` and zeros, hyphens, or a prefix."""
