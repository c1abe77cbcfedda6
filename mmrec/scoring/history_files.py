"""Reads histories, a row per user, from parquet or csv, a part of the file at a time.

The columns `user_id` and `history` are required; there may be others. In parquet, a history is a list of item ids,
oldest first. In csv, it is a text of item ids, oldest first, with a single space between each two; ids that contain a
space need parquet. A history may be empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmrec.errors import InputError
from mmrec.scoring.row_files import RowFile, open_rows
from mmrec.values import string
from mmrec.vectors import is_nested, is_nothing

USER, HISTORY = "user_id", "history"
_KEY = "histories"  # the argument that names such a file


@dataclass(frozen=True)
class Histories:
    """Neighbouring rows of a file.

    Attributes:
      rows: the number of each row in the file, from 1, the header not counted.
      user_ids: one per row.
      histories: item ids, oldest first, one list per row.
      columns: the requested further columns, one value per row, as the file holds it (csv: str).
    """

    rows: list[int] = field(default_factory=list)
    user_ids: list[str] = field(default_factory=list)
    histories: list[list[str]] = field(default_factory=list)
    columns: dict[str, list] = field(default_factory=dict)


def read_histories(path: str | Path, columns: Sequence[str] = (), *, batch: int = 1024) -> Iterator[Histories]:
    """Reads a file of histories, in memory that does not grow with the file.

    Args:
      path: a file in one of `row_files.FORMATS`.
      columns: further columns to read.
      batch: largest number of rows in a part.

    Yields:
      The rows in the file's order, `batch` at a time; nothing if there are none.

    Raises:
      InputError: the file is absent or unreadable, a column is missing, or a row breaks a rule.
    """
    names = [USER, HISTORY, *columns]
    with open_rows(path, _KEY) as file:
        _require_lists(file)
        rows = file.read(names)
        while part := list(islice(rows, batch)):
            histories = Histories(columns={name: [] for name in columns})
            for number, values, wrong in part:
                if values is None:
                    raise InputError(f"{path}, row {number:,}: {wrong}.")
                histories.rows.append(number)
                histories.user_ids.append(_parsed(parse_user, values[0], path, number, USER))
                histories.histories.append(_parsed(parse_history, values[1], path, number, HISTORY))
                for name, value in zip(columns, values[2:], strict=True):
                    histories.columns[name].append(value)
            yield histories


def column_names(path: str | Path) -> list[str]:
    """Returns the columns beside `user_id` and `history`, in the file's order.

    Raises:
      InputError: the file is absent or unreadable, or lacks one of the two.
    """
    with open_rows(path, _KEY) as file:
        _require_lists(file)
        return [name for name in file.names if name not in (USER, HISTORY)]


def require_readable_ids(path: str | Path, item_ids: Iterable[str]) -> None:
    """Refuses a csv file for items whose ids contain a space: such ids would be split.

    Args:
      path: a file of histories; parquet is always accepted.
      item_ids: the ids of the export.

    Raises:
      InputError: the file is csv and an id contains a space; the message names the id.
    """
    if str(path).lower().endswith(".parquet"):
        return
    spaced = next((item for item in item_ids if " " in item), None)
    if spaced is not None:
        raise InputError(
            f"{path}: in csv a space separates the items of a history, and the export has ids with spaces. Received: "
            f"{spaced!r}. Write the histories as parquet, `{HISTORY}` as a list."
        )


def no_item_of_export(path: str | Path, exports: str, example: str) -> InputError:
    """Returns the error for a file whose histories hold no item of the exports that are asked.

    Args:
      path: the file.
      exports: the exports in words, such as "the export".
      example: an id of the file.
    """
    return InputError(
        f"{path}: holds no item of {exports}. Received: {example!r:.80}, for one. In csv, a single space separates the "
        "items of a history."
    )


def parse_user(value: Any) -> str:
    """Returns a user id as text.

    Raises:
      ValueError: it is empty, or neither a text nor a number; the text says so, ready for an error message.

    >>> parse_user("ann"), parse_user(7), parse_user(7.0)
    ('ann', '7', '7')
    """
    user = _id(value)
    if not user:
        raise ValueError(f"must be a text or a number. Received: {value!r:.80}")
    return user


def parse_history(value: Any) -> list[str]:
    """Returns the item ids of a cell: a text in csv, a list in parquet; null and "" in a list are skipped.

    Raises:
      ValueError: it is not of this form; the text says so, ready for an error message.

    >>> parse_history("mug lamp"), parse_history(["red mug", "", 7]), parse_history(""), parse_history(None)
    (['mug', 'lamp'], ['red mug', '7'], [], [])
    """
    if is_nothing(value):
        return []
    if isinstance(value, str):
        items = value.split(" ") if value else []
        if "" in items or "\n" in value:  # a line break comes from an unclosed quotation mark
            raise ValueError(f"must be item ids with a single space between each two. Received: {value!r:.80}")
        return [string(item) for item in items]
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"must be a list of item ids. Received: {value!r:.80}")
    ids = [_id(item) for item in value]
    if None in ids:
        raise ValueError(f"must hold texts or numbers. Received: {value[ids.index(None)]!r:.80} in it")
    return [item for item in ids if item]


def _id(value: Any) -> str | None:
    """Returns an id as text, "" for an empty value, and None for a list or an object."""
    return None if is_nested(value) else string(value).strip()


def _require_lists(file: RowFile) -> None:
    file.require([USER, HISTORY])
    kind = file.kinds.get(HISTORY, "list")
    if "list" not in kind:
        raise InputError(
            f"{file.path}: column `{HISTORY}` must be a list of item ids. Received: {kind}. Write it as a list."
        )


def _parsed(parse: Callable, value: Any, path: str | Path, number: int, column: str) -> Any:
    try:
        return parse(value)
    except ValueError as error:
        where = f"{path}, row {number:,}, column `{column}`"
        raise InputError(f"{where}: {error}. Correct or remove the row.") from None
