"""A catalog's columns of files, photos or recordings: checked paths inside a folder, or the encoded bytes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.config.data import CatalogConfig
from mmrec.data.tables import rows_text
from mmrec.errors import Faults, InputError
from mmrec.vectors import is_nothing, listed

File = str | bytes | None
"""The path of a file, its content, or nothing."""


class Files(NamedTuple):
    """Files of N items.

    Attributes:
      files: objects [N]: `File`, or a tuple of several.
      missing: number of files that are named and absent, and were left out.
    """

    files: np.ndarray
    missing: int


def content(file: File) -> bytes:
    """Returns the content of a file, b"" where there is none."""
    return Path(file).read_bytes() if isinstance(file, str) else file or b""


def masked_files(counts: Mapping[str, int]) -> str:
    """Returns the photos and recordings among what was left out, in words.

    >>> masked_files({"image_missing": 1200, "audio_unreadable": 2, "duplicate_item": 1})
    'photos absent 1,200, recordings unreadable 2'
    """
    names = {
        f"{name}_{fault}": f"{files} {said}"
        for name, files in (("image", "photos"), ("audio", "recordings"))
        for fault, said in (("missing", "absent"), ("unreadable", "unreadable"))
    }
    return ", ".join(f"{said} {counts[reason]:,}" for reason, said in names.items() if counts.get(reason))


def read_files(column: pd.Series | None, name: str, config: CatalogConfig, source_rows: np.ndarray) -> Files:
    """Resolves a column to bytes, or to absolute paths below its folder.

    Args:
      column: [N]; None: no item has a file. A photo may be several, see `vectors.listed`.
      name: `image` or `audio`: `data.catalog.<name>_dir` is the folder, `on_missing_<name>` says what to do when a file
        is absent.
      config: of the catalog.
      source_rows: int64 [N], 0-based row of each item in the file.

    Raises:
      InputError: naming the first row whose value is no file's name or leads out of the folder, and the first that
        names an absent file.
    """
    files, missing = np.full(len(source_rows), None, dtype=object), 0
    folder = Path(getattr(config, f"{name}_dir") or Path(config.path).parent).resolve()
    absent, wrong, faults = {}, {}, Faults()  # by row of the file, the rule that is broken
    for position, value in enumerate([] if column is None else column):
        found = []
        for one in listed(value) if name == schema.IMAGE else [value]:
            try:
                file = _resolve(one, folder, f"{name}_dir")
            except InputError as error:
                wrong.setdefault(source_rows[position], str(error))
                continue
            if isinstance(file, str) and not os.path.isfile(file):  # unlike Path.is_file, False for impossible names
                absent.setdefault(source_rows[position], f"no such file under `{name}_dir` ({folder}): {_shown(one)}")
                missing += 1
            elif file is not None:
                found.append(file)
        if found:
            files[position] = found[0] if len(found) == 1 else tuple(found)
    stops = getattr(config, f"on_missing_{name}") == "error"
    remedy = f". Set `data.catalog.on_missing_{name}: mask` to go on without it."
    for rules, end in ((wrong, ""), (absent if stops else {}, remedy)):
        if rules:
            rows = np.sort(np.array(list(rules)))
            faults.messages.append(f"{rows_text(config.path, rows, column.name)}: {rules[rows[0]]}{end}")
    faults.raise_any()
    return Files(files, missing)


def _shown(name: str) -> str:
    """Returns the name of a file as a message can show it."""
    return name if name.isprintable() else repr(name)


def _name(folder: Path, value: str) -> str:
    """Returns the name of a file: with the spaces around it, where there is one of that name, else without."""
    return value if os.path.isfile(folder / value) else value.strip()


def _resolve(value: Any, folder: Path, key: str) -> File:
    """Returns the bytes, or the path below the folder whether or not there is a file.

    Raises:
      InputError: the rule that is broken.
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
