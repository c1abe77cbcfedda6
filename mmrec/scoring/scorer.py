"""Scores a shard of a batch job: reads rows of a file and writes one complete file of answers, however often."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError
from mmrec.scoring.events import histories_of
from mmrec.scoring.histories import Questions
from mmrec.scoring.history_files import USER
from mmrec.scoring.items import Items, media_folders
from mmrec.scoring.lists import columns_of
from mmrec.scoring.shards import ROW, ROWS, SIGNATURES, UNREAD, WORK, Job, Shard, bad_row_line, model_version
from mmrec.serving.recommender import Recommender
from mmrec.values import Spellings

_READ = 8192  # histories that are read at once


@dataclass(frozen=True)
class Scored:
    """How many rows of a shard were answered, and how many could not be used."""

    rows: int
    bad_rows: int


def score_shard(shard: Shard, job: Job) -> Scored:
    """Writes `rows/part-N.parquet` and, before that, bad rows to `.work/part-N.jsonl`.

    Both are written under temporary names and renamed when complete. So every file is complete, and a shard that is
    scored twice has one file.

    Args:
      shard: the rows.
      job: what all shards of the job have in common.

    Raises:
      InputError: the file cannot be read.
    """
    shop = _load(job.export_dir, job.threads)
    folder, aside = Path(job.output), f".{shard.name}.{uuid.uuid4().hex}"
    answers, bad_rows = folder / ROWS / aside, folder / WORK / aside
    scored = bad = unread = 0
    size = _READ if job.task == "recommend" else job.batch
    writer = None
    try:
        with open(bad_rows, "w", encoding="utf-8") as file:
            for numbers, table in read_shard(shard, shop.spellings, size):
                answered, faults, read_nothing = _answer(table, shard, job, shop)
                for row, reason in sorted(faults.items()):
                    file.write(bad_row_line(shard.source, int(numbers[row]), reason))
                bad += len(faults)
                scored += len(answered)
                unread += read_nothing
                writer = writer or pq.ParquetWriter(answers, answered.schema)
                writer.write_table(answered)
        writer.add_key_value_metadata({UNREAD[job.task]: str(unread)})  # another process may finish the job
        writer.close()
        kept = folder / WORK / f"{shard.name}.jsonl"
        if bad:
            os.replace(bad_rows, kept)
        else:  # a killed process may have left bad_rows about a photo that exists by now
            kept.unlink(missing_ok=True)
        os.replace(answers, folder / ROWS / f"{shard.name}.parquet")
    finally:
        answers.unlink(missing_ok=True)
        bad_rows.unlink(missing_ok=True)
    return Scored(scored, bad)


@lru_cache(maxsize=1)
def _load(export_dir: str, threads: int | None) -> Recommender:
    """Loads the export once per process; the job has already verified its files."""
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    return Recommender(export_dir, verify=False)


@lru_cache(maxsize=1)
def _item_ids(export_dir: str, threads: int | None) -> frozenset[bytes]:
    return frozenset(item.encode() for item in _load(export_dir, threads).items[schema.ID])


def read_shard(shard: Shard, item_ids: Spellings, size: int = _READ) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Reads a shard.

    Args:
      shard: histories, items, or events, which are grouped into histories.
      item_ids: the export's item ids by row.
      size: largest number of rows in a part.

    Yields:
      The numbers of the rows in the user's file (0 for users of grouped events), and the rows.

    Raises:
      InputError: the file cannot be read.
    """
    if shard.events:
        table = histories_of(shard.path, item_ids, shard.columns, shard.plain)
        for start in range(0, max(1, len(table)), size):
            yield np.zeros(size, int), table.slice(start, size)
        return
    try:
        for first, table in _parquet(shard, size):
            if ROW in table.column_names:
                yield table.column(ROW).to_numpy(), table.drop_columns(ROW)
            else:
                yield np.arange(first + 1, first + 1 + len(table)), table
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{shard.path}: cannot be read as .parquet: {said}. Write it again.") from None


def _parquet(shard: Shard, size: int) -> Iterator[tuple[int, pa.Table]]:
    """Yields the place of the first row and the rows, at most `size` at a time; reads only the shard's row groups."""
    with pq.ParquetFile(shard.path, memory_map=True) as file:
        counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        ends = np.cumsum(counts)
        groups = np.flatnonzero((ends > shard.start) & (ends - counts < shard.stop)).tolist()
        at = int(ends[groups[0]] - counts[groups[0]]) if groups else 0
        for batch in file.iter_batches(size, groups, list(shard.columns)):
            if at >= shard.stop:
                return
            start, stop = max(shard.start - at, 0), min(shard.stop - at, len(batch))
            if start < stop:
                yield at + start, pa.Table.from_batches([batch.slice(start, stop - start)])
            at += len(batch)


def _answer(table: pa.Table, shard: Shard, job: Job, shop: Recommender) -> tuple[pa.Table, dict[int, str], int]:
    """Asks the export about some rows.

    Returns:
      The answers in the rows' order; what is wrong with the other rows; and the number of answered rows of which the
      model read nothing: the history holds ids but none of the export, or the item has no content.
    """
    signature = SIGNATURES[job.task]
    if job.task == "recommend":
        k = min(job.k, len(shop.items))
        name, rows = USER, Questions(table, shop.inputs(signature), k, shop.spellings.spelt, shard.plain)
    else:
        folders = media_folders(shop.interface.files, job.media_dir, shard.source)
        name, rows = schema.ID, Items(table, shard.columns[0], shop, signature, folders, shard.plain)
    asked = rows.batches(job.batch)
    outputs = [columns_of(shop.call(signature, rows.ask(part))) for part in asked]
    order = np.argsort(np.concatenate(asked), kind="stable")
    columns = {name: pa.array(rows.ids).take(pa.array(np.concatenate(asked)))}
    columns |= {key: pa.concat_arrays([part[key] for part in outputs]) for key in outputs[0]}
    written = pa.table(columns).take(pa.array(order))
    version = pa.repeat(pa.scalar(model_version(job.export_dir)), len(written))
    if isinstance(rows, Questions):
        unread = rows.unknown(_item_ids(job.export_dir, job.threads))[np.concatenate(asked)].sum()
    else:
        unread = np.count_nonzero(written["status"].to_numpy() & schema.ROW_STATUS_EMPTY)
    return written.append_column("model_version", version), rows.faults, int(unread)
