"""An export of five items, histories in files, and what a batch job leaves."""

import gzip
import json

import pyarrow.parquet as pq

from mmrec.export.saved_model import write_version
from tests.export.small import small_version

HISTORIES = "user_id,history\nu1,a b\nu2,\n,a\nu3,a  b\nu4,a,b\nu5,zz c\nu6,a b c\nu7,d\n"


def five_items(folder, **changes):
    """Writes an export of five items known by their id, with `changes` of its parts; returns its path."""
    return write_version(folder / "small", *small_version(**changes))


def written(path, text):
    """Writes a file, compressed where its name says so; returns its path."""
    (gzip.open if path.name.endswith(".gz") else open)(path, "wt", encoding="utf-8").write(text)
    return path


def answers(folder):
    """Returns the answers of a job: (id, item ids) of each row, as the files have them in order."""
    table = pq.read_table(folder / "rows")
    return list(zip(table["user_id"].to_pylist(), table["item_ids"].to_pylist(), strict=True))


def bad_rows(folder):
    """Returns the bad rows of a job."""
    path = folder / "bad_rows.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
