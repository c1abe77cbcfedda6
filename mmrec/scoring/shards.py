"""A batch job and its shards, as its processes pass them to each other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from mmrec import schema

ROW = "mmrec_row"  # column with the number of a row in the user's file, where the shard is in another file
STAGED_BAD_ROWS = "bad.jsonl"  # rows that could not be put into a shard
ROWS, WORK = "rows", ".work"  # folders of the output: the answers, and files that the job needs until it ends
UNKNOWN, EMPTY = "unknown_histories", "items_without_content"
UNREAD = {"recommend": UNKNOWN, "embed": EMPTY, "label": EMPTY}
"""By task, the name of a count in the metadata of answers and in score.json: rows of which the model read nothing."""
SIGNATURES = {"recommend": schema.RECOMMEND, "embed": schema.EMBED_ITEM, "label": schema.LABEL}


class Shard(NamedTuple):
    """Neighbouring rows of a file.

    Attributes:
      number: the number of the shard in its job, from 0.
      path: a parquet file; with `events`, a file of the events of some users in Arrow's stream format.
      start, stop: the rows of the shard, from 0, without `stop`; not used with `events`.
      columns: the columns that are read.
      source: the file that the user gave.
      events: whether the rows are events, to be grouped into histories.
      plain: whether the ids beside the answers lose their decimals, as the whole column is whole numbers; see `values`.
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
        """The beginning of the names of its files."""
        return f"part-{self.number:06}"


class Job(NamedTuple):
    """What all shards of a job have in common.

    Attributes:
      export_dir: the version folder.
      output: the job's folder.
      task: see `SIGNATURES`.
      k: number of answers per history.
      batch: rows per call of the signature.
      media_dir: the folder that relative paths of files start from; None: see `items.media_folders`.
      threads: number of TensorFlow's threads; None: all cores.
    """

    export_dir: str
    output: str
    task: str
    k: int
    batch: int
    media_dir: str | None = None
    threads: int | None = None


def model_version(export_dir: str | os.PathLike) -> str:
    """Returns the name of the model in answers: the last two folders of its path, such as `shop/3`."""
    return "/".join(Path(export_dir).resolve().parts[-2:])


def bad_row_line(source: str, row: int, reason: str) -> str:
    """Returns a line of `bad_rows.jsonl`, which says why a row of the user's file could not be used."""
    return json.dumps({"file": source, "row": row, "reason": reason}, ensure_ascii=False) + "\n"
