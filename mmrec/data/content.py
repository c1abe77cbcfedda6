"""The content of a catalog's items for one modality: what they show or say, by position."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from mmrec.data.feature_store import digest

RawField = str | bytes | float | np.ndarray | list[bytes]
"""A text, id or category; an encoded file or several; a number; or a feature vector, float32 [F]."""


class Content(Protocol):
    """What N items show or say in one modality. It is immutable, and may keep paths of files instead of their content.

    Attributes:
      counts: number of values that were left out or masked, by reason.
    """

    counts: Mapping[str, int]

    @property
    def missing(self) -> np.ndarray:
        """bool [N], which items have no content."""
        ...

    def take(self, items: np.ndarray) -> Self:
        """Returns the content of the items at these positions (int [S]), which may repeat."""
        ...

    def lengthened(self, count: int) -> Self:
        """Returns the content of N + `count` items; the added ones come last and have none."""
        ...

    def value(self, column: str, item: int) -> RawField:
        """Returns one raw field of an item, as the export reads it.

        Args:
          column: the field's column, see `schema.Field`.
          item: the item's position, 0-based.
        """
        ...

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of one raw field of an item (32 bytes); of a file, that of its bytes as stored.

        Args:
          column: the field's column, see `schema.Field`.
          item: the item's position, 0-based.
        """
        ...


class ContentReader(NamedTuple):
    """Reads the content of one modality from the table of items.

    Attributes:
      columns: the columns of the table that it reads.
      read: takes the table (all R rows, in the order of the file) and the 0-based rows of the items (int64 [N], in the
        items' order); returns their content. None: the modality reads nothing but ids.
    """

    columns: Sequence[str]
    read: Callable[[pd.DataFrame, np.ndarray], Content | None]


@dataclass(frozen=True)
class ColumnContent:
    """Columns of texts, categories or numbers.

    Attributes:
      columns: by name, str objects [N] ("" is none) or float32 [N] (NaN is none).
      counts: number of values that were masked, by reason.
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
        """Returns the content with `count` more items that have none."""
        nothing = {name: "" if values.dtype == object else np.nan for name, values in self.columns.items()}
        return replace(self, columns={n: lengthened(values, count, nothing[n]) for n, values in self.columns.items()})

    def value(self, column: str, item: int) -> RawField:
        """Returns the text, category or number of an item."""
        return self.columns[column][item]

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of the text, category or number of an item."""
        return value_digest(self.columns[column][item])


def value_digest(value: RawField) -> bytes:
    """Returns the SHA-256 of a raw field: of numbers from their bytes, of several files from the digest of each."""
    return digest(hashed(value))


def hashed(value: RawField) -> bytes | str:
    """Returns the bytes or text of a raw field that its digest is made of."""
    if isinstance(value, list):
        return digest(*value)
    return np.asarray(value, "<f4").tobytes() if isinstance(value, float | np.floating | np.ndarray) else value


def lengthened(values: np.ndarray, count: int, nothing: Any) -> np.ndarray:
    """Adds rows to the end of an array.

    Args:
      values: [N, ...].
      count: number of rows to add.
      nothing: value that fills them.

    Returns:
      [N + count, ...], of the same dtype.
    """
    filled = np.empty([len(values) + count, *values.shape[1:]], values.dtype)
    filled[: len(values)], filled[len(values) :] = values, nothing
    return filled


def _is_none(values: np.ndarray) -> np.ndarray:
    return values == "" if values.dtype == object else np.isnan(values)
