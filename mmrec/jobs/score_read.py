"""Reads columns of files a part at a time, for jobs that must not fail for a bad row."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.errors import InputError

_READ = 65_536  # rows at once
_UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error, csv.Error)


def column_types(path: str) -> pa.Schema:
    """Returns the columns of a file; of csv all are text.

    Raises:
      InputError: the file cannot be read, or a column stands twice.
    """
    try:
        if path.lower().endswith(".parquet"):
            found = pq.read_schema(path)
        else:
            with _open_csv(path) as file:
                found = pa.schema([(name, pa.string()) for name in next(csv.reader(file), [])])
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}. Write it again.") from None
    twice = next((name for name in found.names if found.names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: column `{twice}` stands twice. Rename one of them.")
    return found


class Rows(NamedTuple):
    """Neighbouring rows of a file.

    Attributes:
      numbers: int64 [R], from 1, the header not counted.
      columns: by name, R values each; of csv all are text.
      faults: number of a row -> the rule that it breaks, for rows that could not be read.
    """

    numbers: np.ndarray
    columns: dict[str, pd.Series]
    faults: dict[int, str]


def read_rows(path: str, columns: Sequence[str], size: int = _READ) -> Iterator[Rows]:
    """Reads columns of a .parquet, .csv or .csv.gz file, at most `size` rows at a time.

    Raises:
      InputError: the file as such cannot be read.
    """
    try:
        if path.lower().endswith(".parquet"):
            first = 1
            with pq.ParquetFile(path, memory_map=True) as file:
                for batch in file.iter_batches(size, columns=list(columns)):
                    frame = pa.Table.from_batches([batch]).to_pandas(integer_object_nulls=True, ignore_metadata=True)
                    yield Rows(np.arange(first, first + len(frame)), {name: frame[name] for name in columns}, {})
                    first += len(frame)
        else:
            with _open_csv(path) as file:
                yield from _csv_rows(csv.reader(file, strict=True), columns, size)
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}. Write it again.") from None


def _open_csv(path: str) -> TextIO:
    """Opens a csv file; bytes that are no UTF-8 become what `_csv_rows` finds."""
    opened = gzip.open if path.lower().endswith(".gz") else open
    return opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


def _csv_rows(records: Iterator[list[str]], columns: Sequence[str], size: int) -> Iterator[Rows]:
    csv.field_size_limit(2**31 - 1)  # the module's own limit is 131,072 characters
    header, number = next(records), 0
    places = [header.index(name) for name in columns]
    numbers, kept, faults = [], [], {}
    while True:
        begin = records.line_num + 1
        try:
            record = next(records)
            if not record:  # blank lines are no rows
                continue
            number += 1
            if len(record) != len(header):
                received = f"{len(record)}{_lines(begin, records)}"
                raise ValueError(f"must have {len(header)} fields, as the header has. Received: {received}")
            values = [record[place] for place in places]
            "".join(values).encode()
            numbers.append(number)
            kept.append(values)
        except StopIteration:
            break
        except UnicodeEncodeError:
            faults[number] = "must be UTF-8"
        except csv.Error as error:  # the reader begins anew with the next line
            number += 1
            faults[number] = f"cannot be read as csv: {error}{_lines(begin, records)}"
        except ValueError as error:
            faults[number] = str(error)
        if len(kept) + len(faults) >= size:
            yield _rows(numbers, kept, faults, columns)
            numbers, kept, faults = [], [], {}
    yield _rows(numbers, kept, faults, columns)


def _lines(begin: int, records: Iterator[list[str]]) -> str:
    """Says which lines a row stands in, where they are several: a quotation mark that is not closed takes many."""
    return f" (lines {begin:,} to {records.line_num:,})" if records.line_num > begin else ""


def _rows(numbers: list[int], kept: list[list[str]], faults: dict[int, str], columns: Sequence[str]) -> Rows:
    table = pd.DataFrame(kept, columns=list(columns), dtype=object)
    return Rows(np.array(numbers, np.int64), {name: table[name] for name in columns}, faults)
