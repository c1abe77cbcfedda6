"""Reads csv files record by record, with line numbers; a record that cannot be read stops nothing."""

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
_BLOCK = 256  # records that are read while the csv module has our limit
_LIMIT = threading.Lock()
_QUOTE = "Quote fields that hold commas or line breaks"


class Record(NamedTuple):
    """A record of a csv file.

    Attributes:
      fields: as many as the header has; none where there is a fault.
      first: the number of its first line, from 1.
      last: the number of its last line.
      fault: the rule that it breaks, ready for an error message; "" where it breaks none.
      remedy: what may help, a sentence without its full stop; "" where nothing is likely to.
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
    """Opens a file of UTF-8, which may begin with a mark and, called .gz, is packed.

    Args:
      path: the file.
      errors: what becomes of bytes that are no UTF-8, as for `open`.

    Yields:
      The file, with line ends as they are; and a function that says what share of it, 0 to 1, is read by now.
    """
    with open(path, "rb") as raw:
        whole = gzip.GzipFile(fileobj=raw) if path.lower().endswith(".gz") else raw
        with io.TextIOWrapper(whole, encoding="utf-8-sig", errors=errors, newline="") as file:
            yield file, lambda: raw.tell() / max(1, os.fstat(raw.fileno()).st_size)


def csv_records(
    lines: Iterable[str], path: str, most_characters: int = ANY_LENGTH
) -> tuple[list[str], Iterator[Record]]:
    """Reads a csv file; the line `sep=,`, which Excel writes, is no header, and blank lines are no records.

    Args:
      lines: of the file.
      path: of the file, for messages.
      most_characters: of a field; without a limit, a quotation mark that is not closed takes the rest of the file into
        memory.

    Returns:
      The header, and the records behind it.

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
    """Yields lines of text; raises `InputError` for one that holds NUL: it is of another encoding, or no text."""
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise _with_nul(path, number)
        yield line


@contextmanager
def _limited(most_characters: int) -> Iterator[None]:
    """Gives the csv module a limit for fields, which is of the whole process, and then the one that it had."""
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
                except csv.Error as error:  # the module begins anew with the next line
                    lines = _lines(first, records.line_num)
                    block.append(Record([], first, records.line_num, f"cannot be read as csv: {error}{lines}"))
                except StopIteration:
                    going = False
                except Exception as error:  # of the lines: what was read before comes first
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
    """Says which lines a record stands in, where they are several: a quotation mark that is not closed takes many."""
    return f" (lines {first:,} to {last:,})" if last > first else ""


def _with_nul(path: str, line: int) -> InputError:
    return InputError(
        f"{path}, line {line:,}: must be text in UTF-8. Received a NUL character, as files in UTF-16 hold. Re-save it "
        "as UTF-8 (in Excel: as `CSV UTF-8`)."
    )
