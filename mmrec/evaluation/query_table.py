"""The table of a run's test queries: the metrics of each query, kept for later comparisons."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries

_CANDIDATES = b"mmrec.candidates"  # key of the file's metadata
_FIXED = ("user_id", "question")


@dataclass(frozen=True)
class QueryTable:
    """The test queries of a run, and the metrics of each.

    Attributes:
      user_ids: str objects [Q], distinct, sorted.
      question: uint64 [Q], hash of a query's right answers and excluded items; equal queries have equal numbers.
      candidates: digest of the ids of all competing items.
      values: metric -> float32 [Q].
    """

    user_ids: np.ndarray
    question: np.ndarray
    candidates: str
    values: dict[str, np.ndarray]


def encode_query_table(
    user_ids: np.ndarray, item_ids: np.ndarray, queries: Queries, values: Mapping[str, np.ndarray]
) -> bytes:
    """Returns a Parquet file of `user_id`, `question` (see `QueryTable`) and a float32 column per metric.

    Hashes are made of ids, not rows, so that the order of the catalog's file does not matter.

    Args:
      user_ids: str [U], by user number.
      item_ids: str [N + 1], by item row; row 0 is padding.
      queries: Q queries.
      values: metric -> float64 [Q].
    """
    right, excluded = (_hashes(item_ids, salt) for salt in (b"right", b"excluded"))
    columns = {
        "user_id": pa.array(user_ids[queries.user].tolist(), pa.string()),
        "question": _row_sums(queries.relevant, right) + _row_sums(queries.seen, excluded),
        **{name: value.astype(np.float32) for name, value in values.items()},
    }
    candidates = f"{int(_hashes(item_ids[1:], b'candidate').sum(dtype=np.uint64)):016x}"
    table = pa.table(columns).replace_schema_metadata({_CANDIDATES: candidates})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def read_query_table(path: Path) -> QueryTable:
    """Reads what `encode_query_table` made; its errors are those of pyarrow, of `OSError`, or `KeyError`."""
    with open(path, "rb") as file:
        table = pq.read_table(file)
    candidates = (table.schema.metadata or {})[_CANDIDATES].decode()
    columns = {name: table[name].to_numpy() for name in table.column_names}
    users = columns["user_id"]
    order = np.argsort(users)
    values = {name: column[order] for name, column in columns.items() if name not in _FIXED}
    return QueryTable(users[order], columns["question"][order], candidates, values)


def _hashes(ids: np.ndarray, salt: bytes) -> np.ndarray:
    """Returns uint64 [R], one number per id."""
    digests = b"".join(blake2b(item.encode(), digest_size=8, salt=salt).digest() for item in ids)
    return np.frombuffer(digests, "<u8")


def _row_sums(rows: Ragged, numbers: np.ndarray) -> np.ndarray:
    """Returns uint64 [R], the sum of each row's numbers modulo 2**64: a hash that does not depend on order."""
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(numbers[rows.values], dtype=np.uint64)])
    return total[rows.offsets[1:]] - total[rows.offsets[:-1]]
