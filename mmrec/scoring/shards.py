"""The parts of a batch job that its processes hand to each other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from mmrec import schema

ROW = "mmrec_row"  # number of a row in the file that the user gave, where the shard's own file is another one
STAGED_BAD_ROWS = "bad.jsonl"  # rows that could not even be put into a shard
ROWS, WORK = "rows", ".work"  # folders of the output: the answers, and what the job needs until it ends
UNKNOWN, EMPTY = "unknown_histories", "items_without_content"
UNREAD = {"recommend": UNKNOWN, "embed": EMPTY, "label": EMPTY}
"""By task, in the metadata of answers and in score.json: answered rows of which the model read nothing."""
SIGNATURES = {"recommend": schema.RECOMMEND, "embed": schema.EMBED_ITEM, "label": schema.LABEL}


class Shard(NamedTuple):
    """Neighbouring rows of a file.

    Attributes:
      number: counts the shards of a job from 0.
      path: parquet; or, with `events`, events of some users in Arrow's stream format.
      start, stop: its rows, counted from 0.
      columns: those that are read.
      source: the file that the user gave.
      events: whether the rows are events to be grouped.
      plain: whether the ids that answers stand beside are texts of whole numbers with decimals, in the whole column;
        see `values`.
    """

    number: int
    path: str
    start: int
    stop: int
    columns: tuple[str, ...]
    source: str
    events: bool = False
    plain: bool = False

    @property
    def name(self) -> str:
        """Begins the names of its files."""
        return f"part-{self.number:06}"


class Job(NamedTuple):
    """What all shards of a job have in common.

    Attributes:
      export_dir: the version folder.
      output: the job's folder.
      task: see `SIGNATURES`.
      k: answers per history.
      batch: rows per call of the signature.
      media_dir: where relative paths of photos and recordings begin; None: see `items.media_folders`.
      threads: of TensorFlow; None: all cores.
    """

    export_dir: str
    output: str
    task: str
    k: int
    batch: int
    media_dir: str | None = None
    threads: int | None = None


def model_version(export_dir: str | os.PathLike) -> str:
    """Returns what answers name their model by: the last two folders, such as `shop/3`."""
    return "/".join(Path(export_dir).resolve().parts[-2:])


def bad_row_line(source: str, row: int, reason: str) -> str:
    """Returns a line of `bad_rows.jsonl`: why a row of the user's file could not be used."""
    return json.dumps({"file": source, "row": row, "reason": reason}, ensure_ascii=False) + "\n"
