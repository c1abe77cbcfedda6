"""Plans what a batch job reads: its files, what their rows are, and the shards that they are cut into."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec import schema
from mmrec.errors import InputError, nearest
from mmrec.manifest import EventRules, Interface
from mmrec.progress import watching
from mmrec.scoring.histories import EXCLUDE, history_columns, require_types
from mmrec.scoring.history_files import HISTORY, USER, no_item_of_export, require_readable_ids
from mmrec.scoring.lists import lists
from mmrec.scoring.read import Rows, column_types, read_rows
from mmrec.scoring.row_files import FORMATS
from mmrec.scoring.scorer import read_shard
from mmrec.scoring.shards import SIGNATURES, Shard
from mmrec.scoring.stage import stage_csv, stage_events
from mmrec.table_files import other_separator
from mmrec.values import Spellings, WholeNumbers, strings

_CSV_ROW, _PACKED = 32, 5  # smallest size of an event in csv in bytes, and how many times smaller gzip makes it
_EVENTS = 10  # a shard of events has this many times the rows of one of histories


def input_files(pattern: str | os.PathLike[str]) -> list[str]:
    """Returns the absolute paths of a file, of the files in a folder, or of the files that match a pattern.

    Raises:
      InputError: there are none, or a file has another format.
    """
    text = os.path.abspath(pattern)
    if os.path.isdir(text):
        paths = sorted(str(path) for path in Path(text).iterdir() if path.name.lower().endswith(FORMATS))
    else:
        paths = [text] if os.path.isfile(text) else sorted(filter(os.path.isfile, glob.glob(text, recursive=True)))
    if not paths:
        raise InputError(
            f"{text}: no such file. Give `input` a file, a folder of files, or a pattern such as 'x/*.csv'."
        )
    for path in paths:
        if not path.lower().endswith(FORMATS):
            raise InputError(f"`input` must end in one of {', '.join(FORMATS)}. Received: {path!r}.")
    return paths


class Plan:
    """How the files of a job become shards.

    Args:
      paths: the files.
      task: see `SIGNATURES`.
      export_dir: the version folder.
      manifest: its manifest.

    Raises:
      InputError: the export has no signature for the task, or a file lacks a column.
    """

    def __init__(self, paths: Sequence[str], task: str, export_dir: Path, manifest: Mapping[str, Any]):
        self._paths, self._interface = paths, Interface.of(manifest)
        self._events, self._export = None, export_dir
        self._read = dict.fromkeys(paths, 0)  # bytes that are read so far, of files that are staged
        signatures = manifest["inputs"]
        if SIGNATURES[task] not in signatures:
            raise InputError(
                f"`task`: the export has no signature `{SIGNATURES[task]}`, which {task!r} asks. It has: "
                f"{', '.join(sorted(signatures))}. Train a model with it, or choose another task."
            )
        types = {path: column_types(path) for path in paths}
        if task != "recommend":
            self._columns = {path: self._items(path, types[path].names) for path in paths}
            return
        optional = history_columns(sorted(signatures[schema.RECOMMEND]))
        if HISTORY not in types[paths[0]].names:
            self._events = self._event_columns(optional, {path: types[path].names for path in paths})
            return
        self._columns = {path: self._histories(path, types[path], optional) for path in paths}
        if not all(map(_is_parquet, paths)):
            items = self._item_ids()
            for path in paths:
                require_readable_ids(path, items)

    def shards(self, folder: Path, size: int) -> list[Shard]:
        """Cuts the files into shards; files that are not parquet, or that hold events, are first written to new files.

        Args:
          folder: an empty folder for the new files; rows that cannot be used go to `STAGED_BAD_ROWS` in it.
          size: rows per shard.
        """
        staged = [path for path in self._paths if self._events is not None or not _is_parquet(path)]
        if not staged:
            return self._cut(folder, size)
        with watching("bytes", sum(map(os.path.getsize, staged)), lambda: sum(self._read.values()), "read"):
            return self._cut(folder, size)

    def require_some_item(self, input: str | os.PathLike[str], shards: Iterable[Shard]) -> None:
        """Refuses input without any item of the export in its histories; reads until it meets one.

        Args:
          input: the argument of `score`, for the message.
          shards: the shards of the input.

        Raises:
          InputError: no history holds an item of the export; the message names an id that one holds.
        """
        items, example = self._item_ids(), ""
        ids, in_export = Spellings(items), frozenset(item.encode() for item in items)
        for shard in shards:
            for _, table in read_shard(shard._replace(columns=(HISTORY,)), ids):
                texts = lists(table.column(HISTORY), spelt=ids.spelt).texts.numpy()
                if any(text in in_export for text in texts):
                    return
                example = example or next((text.decode("utf-8", "replace") for text in texts if text), "")
        if example:
            raise no_item_of_export(input, "the export", example)

    def _cut(self, folder: Path, size: int) -> list[Shard]:
        if self._events is not None:
            events, columns = self._events
            parts = 1 + sum(map(_rows_at_most, self._paths)) // (_EVENTS * size)
            return stage_events(self._paths, events, columns, folder, parts, self._rows)
        cut: list[Shard] = []
        for path in self._paths:
            if _is_parquet(path):
                rows, columns = pq.read_metadata(path).num_rows, tuple(self._columns[path])
                whole = Shard(0, path, 0, rows, columns, path, plain=_are_whole(path, columns[0]))
                cut += [whole._replace(start=at, stop=min(at + size, rows)) for at in range(0, rows, size)]
            else:
                cut += stage_csv(path, self._columns[path], folder, len(cut), size, self._rows)
        return [shard._replace(number=number) for number, shard in enumerate(cut)]

    def _rows(self, path: str, *arguments: Any) -> Iterator[Rows]:
        """Reads rows of a file as `read_rows` does, and notes how much is read."""
        size = os.path.getsize(path)
        for rows in read_rows(path, *arguments):
            yield rows
            self._read[path] = int(rows.share * size)

    def _item_ids(self) -> pd.Series:
        return pd.read_parquet(self._export / schema.ITEMS, columns=[schema.ID])[schema.ID]

    def _histories(self, path: str, types: pa.Schema, optional: Sequence[str]) -> list[str]:
        _require(path, [USER, HISTORY], types.names)
        columns = [USER, HISTORY, *(name for name in optional if name in types.names)]
        if _is_parquet(path):
            require_types(path, pa.schema([types.field(name) for name in columns]))
        return columns

    def _items(self, path: str, names: Sequence[str]) -> list[str]:
        ids, fields = self._interface.id_columns, self._interface.fields
        columns = [next((name for name in ids if name in names), ids[0])]
        _require(path, columns, names)
        read = [next((name for name in field.names if name in names), None) for field in fields]
        if not any(read):
            accepted = ", ".join(" or ".join(f"`{name}`" for name in field.names) for field in fields)
            raise InputError(f"{path}: must have at least one of the columns {accepted}. Found: {', '.join(names)}.")
        return list(dict.fromkeys([*columns, *filter(None, read)]))

    def _event_columns(
        self, optional: Sequence[str], names: Mapping[str, Sequence[str]]
    ) -> tuple[EventRules, list[str]]:
        """Returns how events are read, with training's column names or the usual ones, and the columns of histories."""
        rules, usual, first = self._interface.events, EventRules(), next(iter(names.values()))
        columns = {name: getattr(rules, name) for name in ("user", "item", "time")}
        usual_ones = {name: getattr(usual, name) for name, column in columns.items() if column not in first}
        events = replace(rules, **usual_ones)
        for path, header in names.items():
            _require(path, events.columns, header, f"`{USER}` and `{HISTORY}`, or, of events, ")
        wanted = [USER, HISTORY, *(name for name in optional if name in (schema.HISTORY_TIME, schema.HISTORY_EVENT))]
        some_excluded = events.kinds is not None or events.rating or not events.all_seen
        return events, [*wanted, *([EXCLUDE] if some_excluded and not events.repeat else [])]


def _require(path: str, columns: Sequence[str], header: Sequence[str], instead: str = "") -> None:
    absent = next((name for name in columns if name not in header), None)
    if absent is not None:
        wanted = ", ".join(f"`{name}`" for name in columns)
        raise other_separator(path, absent, header) or InputError(
            f"{path}: must have the columns {instead}{wanted}.{nearest(absent, header)} Found: "
            f"{', '.join(header) or 'none'}. Rename them, or add what is missing."
        )


def _are_whole(path: str, column: str) -> bool:
    """Returns whether all texts of a parquet file's column are whole numbers, some with decimals (see `values`)."""
    kind, whole = column_types(path).field(column).type, WholeNumbers()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        for rows in read_rows(path, [column]):
            if not whole.add(strings(rows.columns[column])):
                break
    return whole.plain


def _is_parquet(path: str) -> bool:
    return path.lower().endswith(".parquet")


def _rows_at_most(path: str) -> int:
    if _is_parquet(path):
        return pq.read_metadata(path).num_rows
    return os.path.getsize(path) * (_PACKED if path.lower().endswith(".gz") else 1) // _CSV_ROW
