"""Reads a catalog's columns of files (photos, recordings): checked paths inside a folder, or encoded bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from mmrec.config.data import CatalogConfig
from mmrec.data.content import RawField, lengthened, value_digest
from mmrec.data.feature_store import digest
from mmrec.data.tables import rows_text
from mmrec.errors import Faults, InputError
from mmrec.vectors import is_nothing, listed

File = str | bytes | None
"""The path of a file, its content, or nothing."""


@dataclass(frozen=True)
class FileContent:
    """Files of N items, read when they are asked for.

    Attributes:
      files: objects [N]: a `File`, or a tuple of several.
      counts: number of missing files that were left out, by reason.
      digests: digests so far, by item and number of the file, so that each file is hashed once.
    """

    files: np.ndarray
    counts: Mapping[str, int] = field(default_factory=dict)
    digests: dict[tuple[int, int], bytes] = field(default_factory=dict, compare=False, repr=False)

    @property
    def missing(self) -> np.ndarray:
        """bool [N], which items have no file."""
        return np.array([file is None for file in self.files], bool)

    def take(self, items: np.ndarray) -> Self:
        """Returns the files of the items at these positions (int [S])."""
        return replace(self, files=self.files[items], digests={})

    def lengthened(self, count: int) -> Self:
        """Returns the files of N + `count` items; the added ones come last and have none."""
        return replace(self, files=lengthened(self.files, count, None), digests={})

    def of(self, item: int) -> Sequence[File]:
        """Returns all files of the item at this position (0-based): paths or encoded bytes."""
        files = self.files[item]
        return files if isinstance(files, tuple) else () if files is None else (files,)

    def file_digest(self, item: int, number: int = 0) -> bytes:
        """Returns the SHA-256 of a file of an item (both 0-based)."""
        if (item, number) not in self.digests:
            self.digests[item, number] = digest(content(self.of(item)[number]))
        return self.digests[item, number]

    def value(self, column: str, item: int) -> RawField:
        """Returns the encoded file of an item, b"" where there is none."""
        return content(self.files[item])

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of an item's file, or of b"" where there is none."""
        return self.file_digest(item) if self.of(item) else value_digest(b"")


def content(file: File) -> bytes:
    """Returns the content of a file, b"" where there is none."""
    return Path(file).read_bytes() if isinstance(file, str) else file or b""


def read_files(
    column: pd.Series, name: str, config: CatalogConfig, rows: np.ndarray, several: bool = False
) -> FileContent:
    """Reads a column of files: encoded bytes, or paths, which become absolute paths inside the folder.

    Args:
      column: [R], all rows of the table.
      name: the modality's name: `data.catalog.<name>_dir` is the folder, `data.catalog.on_missing_<name>` says what to
        do when a file is missing.
      config: the catalog's config.
      rows: int64 [N], 0-based row of each item.
      several: whether a cell may hold several files, see `vectors.listed`.

    Returns:
      The files; `counts` has the number of missing ones as `<name>_missing`.

    Raises:
      InputError: naming the first row whose value is not a path or leads out of the folder, and the first whose file is
        missing.
    """
    files, missing = np.full(len(rows), None, dtype=object), 0
    folder = Path(getattr(config, f"{name}_dir") or Path(config.path).parent).resolve()
    absent: dict[int, str] = {}
    wrong: dict[int, str] = {}  # broken rule by row of the table
    faults = Faults()
    for position, value in enumerate(column.iloc[rows]):
        usable = []
        for one in listed(value) if several else [value]:
            try:
                file = _resolve(one, folder, f"{name}_dir")
            except InputError as error:
                wrong.setdefault(rows[position], str(error))
                continue
            if isinstance(file, str) and not os.path.isfile(file):  # unlike Path.is_file, False for impossible names
                absent.setdefault(rows[position], f"no such file under `{name}_dir` ({folder}): {_shown(one)}")
                missing += 1
            elif file is not None:
                usable.append(file)
        if usable:
            files[position] = usable[0] if len(usable) == 1 else tuple(usable)
    stops = getattr(config, f"on_missing_{name}") == "error"
    remedy = f". Set `data.catalog.on_missing_{name}: mask` to go on without it."
    for rules, end in ((wrong, ""), (absent if stops else {}, remedy)):
        if rules:
            broken = np.sort(np.array(list(rules)))
            faults.messages.append(f"{rows_text(config.path, broken, column.name)}: {rules[broken[0]]}{end}")
    faults.raise_any()
    return FileContent(files, {f"{name}_missing": missing} if missing else {})


def _shown(name: str) -> str:
    """Returns the name of a file so that a message can show it."""
    return name if name.isprintable() else repr(name)


def _name(folder: Path, value: str) -> str:
    """Returns the name of a file: with the surrounding spaces if there is such a file, else without."""
    return value if os.path.isfile(folder / value) else value.strip()


def _resolve(value: Any, folder: Path, key: str) -> File:
    """Returns the bytes, or the path inside the folder, whether or not the file exists.

    Raises:
      InputError: the value breaks a rule, which the message says.
    """
    if isinstance(value, bytes | bytearray):
        return bytes(value) or None
    if is_nothing(value):
        return None
    if not isinstance(value, str):
        raise InputError(f"must be a path or the encoded bytes. Received: {value!r:.80}.")
    if not value.strip():
        return None
    nameable = "\0" not in value and value == value.encode("utf-8", "replace").decode()
    path = (folder / _name(folder, value)).resolve() if nameable else folder
    if not path.is_relative_to(folder):
        raise InputError(f"must stay inside `{key}` ({folder}). Received: {value!r}.")
    return str(path)
