"""Reads columns of files a part at a time, for jobs that must not fail for a bad row."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.errors import InputError
from mmrec.scoring.row_files import MOST_CHARACTERS, lines
from mmrec.table_files import csv_records, readable

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
            with _open_csv(path) as (file, _):
                found = pa.schema([(name, pa.string()) for name in csv_records(file, path)[1]])
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
      share: of the file that is read by now, 0 to 1.
    """

    numbers: np.ndarray
    columns: dict[str, pd.Series]
    faults: dict[int, str]
    share: float


def read_rows(path: str, columns: Sequence[str], size: int = _READ) -> Iterator[Rows]:
    """Reads columns of a .parquet, .csv or .csv.gz file, at most `size` rows at a time.

    Raises:
      InputError: the file as such cannot be read.
    """
    try:
        if path.lower().endswith(".parquet"):
            first = 1
            with pq.ParquetFile(path, memory_map=True) as file:
                whole = file.metadata.num_rows
                for batch in file.iter_batches(size, columns=list(columns)):
                    table, wrong = readable(pa.Table.from_batches([batch]))
                    frame = table.to_pandas(integer_object_nulls=True, ignore_metadata=True).drop(index=[*wrong])
                    faults = {first + row: said for row, said in wrong.items()}
                    numbers = first + frame.index.to_numpy()
                    first += len(table)
                    yield Rows(numbers, {name: frame[name] for name in columns}, faults, (first - 1) / whole)
        else:
            with _open_csv(path) as (file, share):
                yield from _csv_rows(*csv_records(file, path), columns, size, share)
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}. Write it again.") from None


@contextmanager
def _open_csv(path: str) -> Iterator[tuple[TextIO, Callable[[], float]]]:
    """Opens a csv file, and gives what share of it is read; bytes that are no UTF-8 become what `_csv_rows` finds."""
    with open(path, "rb") as raw:
        whole = gzip.GzipFile(fileobj=raw) if path.lower().endswith(".gz") else raw
        with io.TextIOWrapper(whole, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file, lambda: raw.tell() / max(1, os.fstat(raw.fileno()).st_size)


def _csv_rows(
    records: Iterator[list[str]],
    header: Sequence[str],
    columns: Sequence[str],
    size: int,
    share: Callable[[], float],
) -> Iterator[Rows]:
    csv.field_size_limit(MOST_CHARACTERS)
    places, number = [header.index(name) for name in columns], 0
    numbers, kept, faults = [], [], {}
    while True:
        begin = records.line_num + 1
        try:
            record = next(records)
            if not record:  # blank lines are no rows
                continue
            number += 1
            if len(record) != len(header):
                received = f"{len(record)}{lines(begin, records)}"
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
            faults[number] = f"cannot be read as csv: {error}{lines(begin, records)}"
        except ValueError as error:
            faults[number] = str(error)
        if len(kept) + len(faults) >= size:
            yield Rows(np.array(numbers, np.int64), _columns(kept, columns), faults, share())
            numbers, kept, faults = [], [], {}
    yield Rows(np.array(numbers, np.int64), _columns(kept, columns), faults, share())


def _columns(kept: list[list[str]], columns: Sequence[str]) -> dict[str, pd.Series]:
    table = pd.DataFrame(kept, columns=list(columns), dtype=object)
    return {name: table[name] for name in columns}
