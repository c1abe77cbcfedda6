"""Reads rows of parquet and csv files one after the other, in memory that does not grow with the file."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.csv_files import Record, csv_records, open_text
from mmrec.errors import InputError
from mmrec.table_files import absent_columns, not_utf8, readable

FORMATS = (".parquet", ".csv", ".csv.gz")
MOST_CHARACTERS = 2**24
"""Longest field of csv. Without a limit, an unclosed quotation mark reads the rest of a file into memory."""

Row = tuple[int, Sequence | None, str]
"""A row: its number from 1, the header not counted; its values, or None; and what is wrong with it, or ""."""


@dataclass(frozen=True)
class RowFile:
    """An open file.

    Attributes:
      path: the path as given.
      names: the columns of the file.
      kinds: the type of each column in words; empty for csv, which has no types.
    """

    path: str
    names: list[str]
    kinds: Mapping[str, str]
    _rows: Callable[[Sequence[str]], Iterator[Row]]

    def require(self, columns: Sequence[str]) -> None:
        """Raises `InputError` unless the file has each of the columns exactly once."""
        absent = [name for name in columns if name not in self.names]
        if absent:
            raise absent_columns(self.path, absent, self.names, "Rename one, or add it.")
        for name in columns:
            if self.names.count(name) > 1:
                raise InputError(f"{self.path}: column `{name}` appears twice. Rename one of them.")

    def read(self, columns: Sequence[str]) -> Iterator[Row]:
        """Returns an iterator over the rows, which works only once, with the values of some columns.

        Args:
          columns: the columns to read. Values of csv are str, those of parquet have the types of the file.

        Raises:
          InputError: the file lacks one of the columns.
        """
        self.require(columns)
        return self._rows(columns)


@contextmanager
def open_rows(path: str | Path, key: str) -> Iterator[RowFile]:
    """Opens a parquet or csv file.

    Args:
      path: a file in one of `FORMATS`.
      key: the argument that names the file, for messages.

    Raises:
      InputError: there is no such file, or it cannot be read, when it is opened or inside the block.
    """
    path = str(path)
    suffix = next((suffix for suffix in FORMATS if path.lower().endswith(suffix)), None)
    if suffix is None:
        raise InputError(f"`{key}` must end in one of {', '.join(FORMATS)}. Received: {path!r}.")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file. Correct `{key}`.")
    try:
        if suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                kinds = {column.name: str(column.type) for column in file.schema_arrow}
                yield RowFile(path, file.schema_arrow.names, kinds, partial(_parquet_rows, file))
        else:
            with open_text(path) as (file, _):
                header, records = csv_records(file, path, MOST_CHARACTERS)
                yield RowFile(path, header, {}, partial(_csv_rows, records, header))
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except (pa.ArrowException, ValueError, OSError, EOFError, zlib.error) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as {suffix}: {said}. Write it again.") from None


def _parquet_rows(file, columns: Sequence[str]) -> Iterator[Row]:
    number = 0
    for part in file.iter_batches(batch_size=1024, columns=list(columns)):
        table, faults = readable(pa.Table.from_batches([part]))
        for row, values in enumerate(zip(*(table.column(name).to_pylist() for name in columns), strict=True)):
            number += 1
            yield number, None if row in faults else values, faults.get(row, "")


def _csv_rows(records: Iterator[Record], header: Sequence[str], columns: Sequence[str]) -> Iterator[Row]:
    places = [header.index(name) for name in columns]
    for number, record in enumerate(records, 1):
        yield number, None if record.fault else [record.fields[place] for place in places], record.message
