"""Reads a file of histories once: faults are reported before the exports are asked, and the parsed rows are kept."""

from __future__ import annotations

import pickle
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmrec.errors import InputError, writing
from mmrec.scoring.history_files import Histories, no_item_of_export, read_histories
from mmrec.values import Spellings, string

_VALUES = 50  # of a column that makes segments


class Survey:
    """A parsed file of histories: counts over all of it, and its rows.

    Args:
      path: the file.
      columns: columns that may make segments.
      named: whether the user named the columns. If so, too many values in one are an error; otherwise such a column is
        left out, and stderr says so.
      items: N, the items of both versions.
      owned: bool [2, N + 1], which items each version has; row 0 stands for an unknown item.
      batch: rows in a part.
      in_memory: bytes of parsed rows that stay in memory; beyond that a temporary file is used.

    Attributes:
      counts: int64 [N + 1], how often each item occurs in the histories; row 0 counts unknown items.
      unknown: two floats, the share of the histories' entries that each version lacks.
      users: number of rows.
      columns: the columns with few enough values to make segments.

    Raises:
      InputError: the file cannot be read, holds no rows or no item of the versions, or a named column has too many
        values.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        named: bool,
        items: Spellings,
        owned: np.ndarray,
        batch: int,
        in_memory: int = 2**26,
    ):
        self.counts, self.users = np.zeros(len(items) + 1, np.int64), 0
        self._path, self._named = path, named
        self._values: dict[str, set[str]] = {column: set() for column in columns}
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory, prefix="mmrec-")  # noqa: SIM115
        example = ""
        for part in read_histories(path, columns, batch=batch):
            self.users += len(part.rows)
            self.counts += np.bincount(item_rows(items, flat(part.histories)), minlength=len(self.counts))
            example = example or next((history[0] for history in part.histories if history), "")
            self._note_values(part)
            with writing(tempfile.gettempdir(), None):
                pickle.dump(part, self._file, pickle.HIGHEST_PROTOCOL)
        if not self.users:
            raise InputError(f"{path}: holds no rows. Give `histories` a file with at least one.")
        total = int(self.counts.sum())
        if total and not self.counts[1:].any():
            raise no_item_of_export(path, "the exports", example)
        self.unknown = [1 - int(self.counts[own].sum()) / total if total else 0.0 for own in owned]
        self.columns = [*self._values]

    def parts(self) -> Iterator[Histories]:
        """Yields the rows in the file's order, with the columns that make segments; works only once."""
        left = self.users
        with self._file as file:
            file.seek(0)
            while left:
                part: Histories = pickle.load(file)
                left -= len(part.rows)
                for column in [name for name in part.columns if name not in self._values]:
                    del part.columns[column]
                yield part

    def _note_values(self, part: Histories) -> None:
        for column, seen in [*self._values.items()]:
            seen.update(map(label, part.columns[column]))
            if len(seen) <= _VALUES:
                continue
            if self._named:
                raise InputError(
                    f"{self._path}: column `{column}` makes segments and must have at most {_VALUES} values. Received: "
                    f"more, such as {min(seen)!r}. Leave it out of `segments`."
                )
            del self._values[column]
            print(f"column `{column}` has over {_VALUES} values and makes no segments", file=sys.stderr, flush=True)


def label(value: object) -> str:
    """Returns a cell as the text that names a segment."""
    return string(value).strip()


def flat(histories: Sequence[Sequence[str]]) -> np.ndarray:
    """Returns the item ids of some histories, one after the other: str objects [E]."""
    return np.array([item for history in histories for item in history], object)


def item_rows(items: Spellings, ids: np.ndarray) -> np.ndarray:
    """Returns the rows of item ids, from 1, in the shape of `ids`; 0 for an unknown id."""
    return (items.places(ids.ravel()) + 1).reshape(ids.shape)
