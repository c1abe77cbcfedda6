"""Prepares the input of a batch job: writes csv as parquet, a file per shard, and events to files of few users each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.data.numbers import read_numbers
from mmrec.data.times import Times, read_times, time_rule
from mmrec.manifest import EventRules
from mmrec.scoring.events import EVENTS, append_events
from mmrec.scoring.read import Rows
from mmrec.scoring.shards import ROW, STAGED_BAD_ROWS, Shard, bad_row_line
from mmrec.values import Spellings, WholeNumbers, nested, plain, trimmed

_HELD = 1_000_000  # events that are held in memory before they are written

Read = Callable[..., Iterator[Rows]]
"""A function with the arguments and results of `read_rows`."""


def write_bad_rows(path: Path, source: str, faults: Mapping[int, str]) -> None:
    """Appends bad rows to a file.

    Args:
      path: the file of bad rows.
      source: the user's file.
      faults: number of a row -> the rule that it breaks.
    """
    with open(path, "a", encoding="utf-8") as file:
        for row, reason in sorted(faults.items()):
            file.write(bad_row_line(source, row, reason))


def stage_csv(path: str, columns: Sequence[str], folder: Path, first: int, size: int, read: Read) -> list[Shard]:
    """Writes a csv file as parquet, a file per shard of at most `size` rows.

    Args:
      path: the file.
      columns: the columns to write, ids first.
      folder: the folder of the new files; rows that cannot be read go to `STAGED_BAD_ROWS` in it.
      first: number of the first shard.
      size: rows per shard.
      read: reads the file.
    """
    shards: list[Shard] = []
    ids = WholeNumbers()
    for rows in read(path, columns, size):
        write_bad_rows(folder / STAGED_BAD_ROWS, path, rows.faults)
        if not len(rows.numbers):
            continue
        ids.add(rows.columns[columns[0]])
        number = first + len(shards)
        table = {name: pa.array(values, pa.string()) for name, values in rows.columns.items()}
        staged = folder / f"{number:06}.parquet"
        pq.write_table(pa.table(table | {ROW: pa.array(rows.numbers)}), staged)
        shards.append(Shard(number, str(staged), 0, len(rows.numbers), (*columns, ROW), path))
    return [shard._replace(plain=ids.plain) for shard in shards]


def stage_events(
    paths: Sequence[str], events: EventRules, columns: Sequence[str], folder: Path, parts: int, read: Read
) -> list[Shard]:
    """Writes events into files by a hash of the user, so that each holds all events of few users.

    Args:
      paths: the files.
      events: the columns and rules of the events.
      columns: the columns of the histories that will be made.
      folder: the folder of the new files; rows that cannot be used go to `STAGED_BAD_ROWS` in it.
      parts: number of new files.
      read: reads a file.
    """
    first, held, users = None, [], WholeNumbers()
    for path in paths:
        for rows in read(path, events.columns):
            times = read_times(rows.columns[events.time], events.formats)
            readable = np.flatnonzero(np.isfinite(times.seconds))
            if first is None and len(readable):
                first = times.dated, times.zoned[readable[0]]  # all times must be of the first one's kind
            table, faults = _checked(rows, events, times, first or (False, False))
            write_bad_rows(folder / STAGED_BAD_ROWS, path, rows.faults | faults)
            held.append(table)
            users.add(table["user"].unique().to_pylist())
            if sum(map(len, held)) >= _HELD:
                _spill(held, folder, parts)
                held = []
    _spill(held, folder, parts)
    staged = sorted(folder.glob("*.events"))
    source = ", ".join(paths)
    whole = tuple(columns), source, True, users.plain
    return [Shard(number, str(path), 0, 0, *whole) for number, path in enumerate(staged)]


def _checked(rows: Rows, events: EventRules, times: Times, first: tuple[bool, bool]) -> tuple[pa.Table, dict[int, str]]:
    """Returns the usable events (see `EVENTS`), and what is wrong with the others, by row number."""
    users, items = (trimmed(rows.columns[name]) for name in (events.user, events.item))
    in_history, unrated = np.ones(len(users), bool), np.zeros(len(users), bool)
    types = trimmed(rows.columns[events.event]) if events.event else np.full(len(users), None)
    if events.event:
        named = (*(events.kinds or ()), *events.negative, *(events.seen or ()))
        types = Spellings(dict.fromkeys(named)).spelt(types)
    if events.kinds is not None:
        in_history = np.isin(types, list(events.kinds))
    if events.rating:
        rating = read_numbers(rows.columns[events.rating])
        judged = ~np.isin(types, list(events.negative))
        in_history, unrated = in_history & ~(judged & (rating < events.min_rating)), judged & ~np.isfinite(rating)
    exclude = ~in_history | (not events.all_seen)
    if events.seen is not None:
        exclude &= np.isin(types, list(events.seen))
    unlike = np.isnan(times.seconds) | (times.dated != first[0]) | (times.zoned != first[1])
    rule = f"must be {time_rule(events.formats)}, with a time zone or without, the same in all rows"
    texts = filter(None, (events.user, events.item, events.event))
    lists = [(nested(rows.columns[name]), name, "must be a text or a number") for name in texts]
    checks = (
        *lists,
        (users == "", events.user, "must not be empty"),
        (items == "", events.item, "must not be empty"),
        (unlike, events.time, rule),
        (unrated, events.rating, "must be a number"),
    )
    faults: dict[int, str] = {}
    for wrong, name, said in checks:
        for place in np.flatnonzero(wrong).tolist():
            received = f"Received: {rows.columns[name].iloc[place]!r:.80}"
            faults.setdefault(int(rows.numbers[place]), f"column `{name}`: {said}. {received}")
    table = pa.table([users, items, times.seconds, types, in_history, exclude], schema=EVENTS)
    return table.filter(pa.array(~np.isin(rows.numbers, list(faults)))), faults


def _spill(held: Sequence[pa.Table], folder: Path, parts: int) -> None:
    if not sum(map(len, held)):
        return
    table = pa.concat_tables(held)
    users = pd.Series(table["user"].to_pandas(), dtype=object).map(plain)  # 9 and 9.0 may prove to be the same user
    part = pd.util.hash_array(users.to_numpy(object)) % np.uint64(parts)
    order = np.argsort(part, kind="stable")
    table, ends = table.take(pa.array(order)), np.cumsum(np.bincount(part.astype(np.int64), minlength=parts))
    for number, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            append_events(folder / f"{number:06}.events", table.slice(start, end - start))
