"""What a catalog holds of one modality, by the position of its items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from mmrec.data.feature_store import digest

RawField = str | bytes | float | np.ndarray | list[bytes]
"""A text, id or category, an encoded file or several, a number, or a feature vector, float32 [F]."""


class Content(Protocol):
    """What N items show or say of one modality. Nothing of it changes; paths of files may stand for their content.

    Attributes:
      counts: what was left out or masked of it, by reason.
    """

    counts: Mapping[str, int]

    @property
    def missing(self) -> np.ndarray:
        """bool [N], which items have nothing of it."""
        ...

    def take(self, items: np.ndarray) -> Self:
        """Returns the content of the items at these positions (int [S]), which may repeat."""
        ...

    def lengthened(self, count: int) -> Self:
        """Returns the content of N + `count` items, of which the last have nothing."""
        ...

    def value(self, column: str, item: int) -> RawField:
        """Returns one raw field of an item (0-based), as the export reads it.

        Args:
          column: that of the field, see `schema.Field`.
          item: its position.
        """
        ...

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of one raw field of an item, of files as they lie there; see `value`."""
        ...


class ContentReader(NamedTuple):
    """What reads the content of one modality from the table of items.

    Attributes:
      columns: of the table that it reads.
      read: (the table, all rows R in the order of the file; int64 [N], the 0-based rows of the items in their order) ->
        the content; None: the modality has none beside the ids.
    """

    columns: Sequence[str]
    read: Callable[[pd.DataFrame, np.ndarray], Content | None]


@dataclass(frozen=True)
class ColumnContent:
    """Columns of texts, categories or numbers.

    Attributes:
      columns: by column, str objects [N] ("" is none) or float32 [N] (NaN is none).
      counts: what was masked, by reason.
    """

    columns: Mapping[str, np.ndarray]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> np.ndarray:
        """bool [N], which items have nothing in any column."""
        return np.all([_is_none(column) for column in self.columns.values()], axis=0)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the items that have something, by column."""
        return {name: float(np.mean(~_is_none(values))) for name, values in self.columns.items()}

    def take(self, items: np.ndarray) -> Self:
        """Returns the content of the items at these positions (int [S])."""
        return replace(self, columns={name: values[items] for name, values in self.columns.items()})

    def lengthened(self, count: int) -> Self:
        """Returns the content with more items, of which nothing is known."""
        nothing = {name: "" if values.dtype == object else np.nan for name, values in self.columns.items()}
        return replace(self, columns={n: lengthened(values, count, nothing[n]) for n, values in self.columns.items()})

    def value(self, column: str, item: int) -> RawField:
        """Returns the text, category or number of an item."""
        return self.columns[column][item]

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of the text, category or number of an item."""
        return value_digest(self.columns[column][item])


def value_digest(value: RawField) -> bytes:
    """Returns the SHA-256 of a raw field: numbers by their bytes, of several files by those of each."""
    return digest(hashed(value))


def hashed(value: RawField) -> bytes | str:
    """Returns what of a raw field goes into a digest."""
    if isinstance(value, list):
        return digest(*value)
    return np.asarray(value, "<f4").tobytes() if isinstance(value, float | np.floating | np.ndarray) else value


def lengthened(values: np.ndarray, count: int, nothing: Any) -> np.ndarray:
    """Returns an array [N, ...] with `count` more rows, each filled with `nothing`."""
    filled = np.empty([len(values) + count, *values.shape[1:]], values.dtype)
    filled[: len(values)], filled[len(values) :] = values, nothing
    return filled


def _is_none(values: np.ndarray) -> np.ndarray:
    return values == "" if values.dtype == object else np.isnan(values)
