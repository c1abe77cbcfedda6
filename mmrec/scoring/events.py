"""Groups events into the histories of users."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from mmrec import schema
from mmrec.scoring.histories import EXCLUDE
from mmrec.scoring.history_files import HISTORY, USER
from mmrec.scoring.lists import as_texts
from mmrec.values import Spellings

EVENTS = pa.schema(
    [
        *[("user", pa.string()), ("item", pa.string()), ("time", pa.float64()), ("event", pa.string())],
        *[("in_history", pa.bool_()), ("exclude", pa.bool_())],
    ]
)
"""Columns of a file of events. `exclude`: the event excludes its item from the answers, and the history would not."""


def append_events(path: str | Path, table: pa.Table) -> None:
    """Appends events (of the schema `EVENTS`) to a file; made when absent."""
    with open(path, "ab") as file, pa.ipc.new_stream(file, EVENTS) as stream:
        stream.write_table(table)


def histories_of(path: str | Path, items: Spellings, columns: Collection[str], plain: bool = False) -> pa.Table:
    """Groups the events of a file by user.

    Args:
      path: a file that `append_events` wrote.
      items: the export's item ids by row. As in training, events of the same time are put in the order of their items,
        so that the order of events in files does not matter.
      columns: the columns to return, of `user_id`, `history`, `history_time`, `history_event` and `exclude`.
      plain: whether user ids are written in their `values.plain` form.

    Returns:
      A row per user, by user id; histories oldest first.
    """
    events = pa.concat_tables(_streams(path)).combine_chunks()
    row = items.places(events["item"].to_numpy())
    user, users = pd.factorize(as_texts(events["user"].combine_chunks(), plain), sort=True)
    order = np.lexsort((row, events["time"].to_numpy(), user))
    events, user = events.take(pa.array(order)), user[order]
    in_history, exclude = events["in_history"].to_numpy(), events["exclude"].to_numpy()

    def grouped(name: str, which: np.ndarray) -> pa.Array:
        lengths = np.bincount(user[which], minlength=len(users))
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), events[name].filter(pa.array(which)).combine_chunks())

    makers = {
        USER: lambda: pa.array(users, pa.string()),
        HISTORY: lambda: grouped("item", in_history),
        schema.HISTORY_TIME: lambda: grouped("time", in_history),
        schema.HISTORY_EVENT: lambda: grouped("event", in_history),
        EXCLUDE: lambda: grouped("item", exclude),
    }
    return pa.table({name: make() for name, make in makers.items() if name in columns})


def _streams(path: str | Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path)) as file:
        while file.tell() < file.size():
            yield pa.ipc.open_stream(file).read_all()
