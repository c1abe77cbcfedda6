"""Reads columns of files part by part; a bad row fails nothing."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.csv_files import Record, csv_records, open_text
from mmrec.errors import InputError
from mmrec.scoring.row_files import MOST_CHARACTERS
from mmrec.table_files import readable

_READ = 65_536  # rows at once
_UNREADABLE = (pa.ArrowException, OSError, EOFError, zlib.error)
_UNDECODED = "surrogateescape"  # keeps bytes that are not UTF-8, so that only their rows are bad


def column_types(path: str) -> pa.Schema:
    """Returns the columns of a file and their types; in csv all are text.

    Raises:
      InputError: the file cannot be read, or two columns have the same name.
    """
    try:
        if path.lower().endswith(".parquet"):
            columns = pq.read_schema(path)
        else:
            with open_text(path, _UNDECODED) as (file, _):
                columns = pa.schema([(name, pa.string()) for name in csv_records(file, path)[0]])
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}. Write it again.") from None
    twice = next((name for name in columns.names if columns.names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: column `{twice}` appears twice. Rename one of them.")
    return columns


class Rows(NamedTuple):
    """Neighbouring rows of a file.

    Attributes:
      numbers: int64 [R], the numbers of the rows, from 1, the header not counted.
      columns: R values by column; in csv all are text.
      faults: number of a row that could not be read -> the rule that it breaks.
      share: the share of the file that is read so far, 0 to 1.
    """

    numbers: np.ndarray
    columns: dict[str, pd.Series]
    faults: dict[int, str]
    share: float


def read_rows(path: str, columns: Sequence[str], size: int = _READ) -> Iterator[Rows]:
    """Reads columns of a .parquet, .csv or .csv.gz file, at most `size` rows at a time.

    Args:
      path: the file.
      columns: the columns to read; the file has them.
      size: largest number of rows in a part.

    Raises:
      InputError: the file itself cannot be read.
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
            with open_text(path, _UNDECODED) as (file, share):
                header, records = csv_records(file, path, MOST_CHARACTERS)
                yield from _csv_rows(records, header, columns, size, share)
    except _UNREADABLE as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}. Write it again.") from None


def _csv_rows(
    records: Iterable[Record],
    header: Sequence[str],
    columns: Sequence[str],
    size: int,
    share: Callable[[], float],
) -> Iterator[Rows]:
    places = [header.index(name) for name in columns]
    numbers, kept, faults = [], [], {}
    for number, record in enumerate(records, 1):
        fault = record.fault
        values = [] if fault else [record.fields[place] for place in places]
        try:
            "".join(values).encode()
        except UnicodeEncodeError:  # the row was not UTF-8 in the file
            fault = "must be UTF-8"
        if fault:
            faults[number] = fault
        else:
            numbers.append(number)
            kept.append(values)
        if len(kept) + len(faults) >= size:
            yield Rows(np.array(numbers, np.int64), _columns(kept, columns), faults, share())
            numbers, kept, faults = [], [], {}
    yield Rows(np.array(numbers, np.int64), _columns(kept, columns), faults, share())


def _columns(kept: list[list[str]], columns: Sequence[str]) -> dict[str, pd.Series]:
    table = pd.DataFrame(kept, columns=list(columns), dtype=object)
    return {name: table[name] for name in columns}
