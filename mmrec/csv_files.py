"""Reads csv files record by record, with line numbers; a record that cannot be read does not stop the others."""

from __future__ import annotations

import csv
import gzip
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple, TextIO

from mmrec.errors import InputError
from mmrec.table_files import separated

ANY_LENGTH = 2**31 - 1
_BLOCK = 256  # records that are read at once, under our limit of the csv module
_LIMIT = threading.Lock()
_QUOTE = "Quote fields that hold commas or line breaks"


class Record(NamedTuple):
    """A record of a csv file.

    Attributes:
      fields: as many as the header has; empty where there is a fault.
      first: the number of its first line, from 1.
      last: the number of its last line.
      fault: the broken rule and what was received, ready for an error message; "" where nothing is wrong.
      remedy: what may help, a sentence without its full stop; "" where no remedy is likely.
    """

    fields: list[str]
    first: int
    last: int
    fault: str = ""
    remedy: str = ""

    @property
    def message(self) -> str:
        """The fault and its remedy, without the last full stop."""
        return f"{self.fault}. {self.remedy}" if self.remedy else self.fault


@contextmanager
def open_text(path: str, errors: str = "strict") -> Iterator[tuple[TextIO, Callable[[], float]]]:
    """Opens a UTF-8 text file, with or without a byte order mark; a name that ends in .gz means that it is compressed.

    Args:
      path: the file.
      errors: how bytes that are not UTF-8 are handled, as for `open`.

    Yields:
      The file, its line ends unchanged, and a function that returns the share read so far, 0 to 1.
    """
    with open(path, "rb") as raw:
        whole = gzip.GzipFile(fileobj=raw) if path.lower().endswith(".gz") else raw
        with io.TextIOWrapper(whole, encoding="utf-8-sig", errors=errors, newline="") as file:
            yield file, lambda: raw.tell() / max(1, os.fstat(raw.fileno()).st_size)


def csv_records(
    lines: Iterable[str], path: str, most_characters: int = ANY_LENGTH
) -> tuple[list[str], Iterator[Record]]:
    """Reads a csv file. The line `sep=,`, which Excel writes above the header, and blank lines are skipped.

    Args:
      lines: the lines of the file.
      path: the file, for messages.
      most_characters: the longest that a field may be. Without a limit, an unclosed quotation mark reads the rest of
        the file into memory.

    Returns:
      The header, and the records below it.

    Raises:
      InputError: the header cannot be read.
    """
    lines = iter(lines)
    first = next(lines, "")
    records = csv.reader(chain([first], lines), strict=True)
    try:
        with _limited(most_characters):
            header = next(records, [])
            header = next(records, []) if header == ["sep=", ""] else header
    except csv.Error as error:
        said = f"{path}, line {records.line_num:,}: cannot be read as csv: {error}."
        raise separated(path, first) or InputError(said) from None
    if any("\0" in name for name in header):
        raise _with_nul(path, 1)
    return header, _records(records, len(header), most_characters)


def without_nul(lines: Iterable[str], path: str) -> Iterator[str]:
    """Yields lines of text; raises `InputError` at a NUL character: the file has another encoding or is not text."""
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise _with_nul(path, number)
        yield line


@contextmanager
def _limited(most_characters: int) -> Iterator[None]:
    """Sets the csv module's limit for fields, which holds for the whole process, and then restores the old one."""
    with _LIMIT:
        before = csv.field_size_limit(most_characters)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _records(records: Iterator[list[str]], width: int, most_characters: int) -> Iterator[Record]:
    going, stop = True, None
    while going:
        block: list[Record] = []
        with _limited(most_characters):
            while going and len(block) < _BLOCK:
                first = records.line_num + 1
                try:
                    fields = next(records)
                except csv.Error as error:  # the module goes on with the next line
                    lines = _lines(first, records.line_num)
                    block.append(Record([], first, records.line_num, f"cannot be read as csv: {error}{lines}"))
                except StopIteration:
                    going = False
                except Exception as error:  # raised by `lines`: yield what was read before it first
                    going, stop = False, error
                else:
                    if len(fields) == width:
                        block.append(Record(fields, first, records.line_num))
                    elif fields:
                        received = f"{len(fields)}{_lines(first, records.line_num)}"
                        rule = f"must have {width} fields, as the header has. Received: {received}"
                        block.append(Record([], first, records.line_num, rule, _QUOTE))
        yield from block
    if stop is not None:
        raise stop


def _lines(first: int, last: int) -> str:
    """Names the lines of a record that has several; an unclosed quotation mark takes many."""
    return f" (lines {first:,} to {last:,})" if last > first else ""


def _with_nul(path: str, line: int) -> InputError:
    return InputError(
        f"{path}, line {line:,}: must be text in UTF-8. Received a NUL character, as files in UTF-16 hold. Re-save it "
        "as UTF-8 (in Excel: as `CSV UTF-8`)."
    )
