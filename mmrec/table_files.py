"""Shared by the readers of tables: errors of missing columns and other separators, and texts that are not UTF-8."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mmrec.errors import InputError, nearest

_SEPARATORS = {";": '";"', "\t": "tabs", "|": '"|"'}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)


def absent_columns(path: str, columns: Sequence[str], header: Sequence[str], remedy: str) -> InputError:
    """Returns the error for a table that lacks columns.

    Args:
      path: the table.
      columns: the missing columns, at least one.
      header: the columns that the table has.
      remedy: the last sentence of the message.
    """
    first, *others = columns
    nor = f" (nor {', '.join(f'`{column}`' for column in others)})" if others else ""
    there = ", ".join(map(str, header)) or "none"
    return other_separator(path, first, header) or InputError(
        f"{path}: no column `{first}`{nor}.{nearest(first, header)} Found: {there}. {remedy}"
    )


def other_separator(path: str, column: str, header: Sequence[str]) -> InputError | None:
    """Returns the error for a table that lacks a column because it is not separated by commas; None: it has commas."""
    first = ",".join(map(str, header))
    if len(header) == 1 or any(column in _fields(first, separator) for separator in _SEPARATORS):
        return separated(path, first)
    return None


def separated(path: str, first: str) -> InputError | None:
    """Returns the error for a file whose first line seems to be separated by something other than commas; else None."""
    separator = max(_SEPARATORS, key=first.count)
    if separator not in first:
        return None
    return InputError(
        f"{path}: seems to be separated by {_SEPARATORS[separator]}, and a csv file must be separated by commas. "
        f"Received as its first line: {first.strip()!r:.80}. Save it with commas, or as .parquet; with pandas, "
        f"`read_csv(path, sep={separator!r})` reads it as it is."
    )


def not_utf8(path: str, error: UnicodeDecodeError) -> InputError:
    """Returns the error for a file that is not UTF-8."""
    byte = f"byte {error.object[error.start]:#04x}"
    if not error.start and error.object[:2] in _UTF16:
        byte += ", as files in UTF-16 begin"
    return InputError(f"{path}: must be UTF-8. Received {byte}. Re-save it as UTF-8 (in Excel: as `CSV UTF-8`).")


def broken_texts(column: pa.ChunkedArray) -> np.ndarray:
    """Returns the rows (int64, from 0) with a text that is not UTF-8; not every writer of parquet checks its texts."""
    return np.flatnonzero(np.concatenate([np.zeros(0, bool), *map(_broken, column.chunks)]))


def readable(table: pa.Table) -> tuple[pa.Table, dict[int, str]]:
    """Replaces texts that are not UTF-8 by null; returns the table and the fault of each such row (from 0)."""
    faults: dict[int, str] = {}
    for place, name in enumerate(table.column_names):
        column = table.column(name)
        rows = broken_texts(column)
        if len(rows):
            faults = dict.fromkeys(rows.tolist(), f"column `{name}`: must be text in UTF-8") | faults
            if pa.types.is_dictionary(column.type):  # which would keep the text
                column = column.cast(column.type.value_type)
            kept = pa.array(np.arange(len(column)), mask=np.isin(np.arange(len(column)), rows))
            table = table.set_column(place, name, column.take(kept))
    return table, faults


def is_list(kind: pa.DataType) -> bool:
    """Returns whether a column of this type holds lists."""
    return any(test(kind) for test in _LISTS)


def _broken(values: pa.Array) -> np.ndarray:
    """Returns bool [R], which rows hold a text that is not UTF-8."""
    broken = np.zeros(len(values), bool)
    if pa.types.is_dictionary(values.type):
        return np.append(_broken(values.dictionary), False)[values.indices.fill_null(-1).to_numpy()]
    if is_list(values.type):
        broken[pc.list_parent_indices(values).to_numpy()[_broken(values.flatten())]] = True
        return broken
    if pa.types.is_struct(values.type):
        return np.any([broken, *map(_broken, values.flatten())], axis=0)
    try:
        if any(test(values.type) for test in _TEXTS):
            values.validate(full=True)
    except pa.ArrowInvalid:
        broken[:] = [not _is_utf8(one) for one in values.cast(pa.large_binary()).to_pylist()]
    return broken


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _fields(line: str, separator: str) -> list[str]:
    return [field.strip(' "') for field in line.split(separator)]
