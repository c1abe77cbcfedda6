"""Reads a table of any supported format into a DataFrame; every error names file, row and column."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.csv_files import csv_records, open_text, without_nul
from mmrec.errors import InputError
from mmrec.table_files import absent_columns, broken_texts, not_utf8
from mmrec.values import joined, name_lists, names, nested
from mmrec.vectors import holds_nested, unicode

FORMATS = (".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz")


def read_table(path: str, columns: Sequence[str], *, key: str, tfds_dir: str | None = None) -> pd.DataFrame:
    """Reads the named columns of a table.

    Args:
      path: a file in one of `FORMATS`, or `tfds:NAME[/CONFIG][:SPLIT]` (split `train` by default).
      columns: the columns to read; all must exist.
      key: the config key of `path`, for messages.
      tfds_dir: folder of prepared TFDS data sets.

    Returns:
      One row per record in the file's order, numbered from 0. Cells of CSV files are strings ("" if empty); in the
      other formats they have their own types (None or NaN if empty).

    Raises:
      InputError: the file is missing, unreadable or empty, or lacks a column.
    """
    columns = list(dict.fromkeys(columns))
    table = _read_tfds(path, columns, key, tfds_dir) if path.startswith("tfds:") else _read_file(path, columns, key)
    if len(table) == 0:
        raise InputError(f"{path}: holds no rows. Give `{key}` a table with at least one.")
    return table.reset_index(drop=True)


def _read_file(path: str, columns: list[str], key: str) -> pd.DataFrame:
    suffix = next((s for s in FORMATS if path.lower().endswith(s)), None)
    if suffix is None:
        raise InputError(f"`{key}`: must end in one of {', '.join(FORMATS)}, or be `tfds:...`. Received: {path!r}.")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file. Correct `{key}`.")
    try:
        if suffix == ".parquet":
            return _read_parquet(path, columns, key)
        with open_text(path) as (file, _):
            return (_read_csv if suffix.startswith(".csv") else _read_jsonl)(file, path, columns, key)
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except InputError:
        raise
    except (pa.ArrowException, ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read as {suffix}: {error}. Write it again, or name its format by the ending."
        ) from None


def _read_parquet(path: str, columns: list[str], key: str) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        _require(path, columns, file.schema_arrow.names, key)
        table = file.read(columns)
    for column in columns:
        rows = broken_texts(table.column(column))
        if len(rows):
            raise InputError(f"{rows_text(path, rows, column)}: must be text in UTF-8. Write the file again as UTF-8.")
    # A column of whole numbers with gaps would become float and round large ids; an index would hide a column.
    return table.to_pandas(integer_object_nulls=True, ignore_metadata=True)[columns]


def _read_csv(file: TextIO, path: str, columns: list[str], key: str) -> pd.DataFrame:
    """Reads with the csv module: pandas would silently drop surplus fields, which hides an unquoted comma."""
    header, records = csv_records(without_nul(file, path), path)
    _require(path, columns, header, key)
    places = [header.index(column) for column in columns]
    values: list[list[str]] = [[] for _ in columns]
    for record in records:
        if record.fault:
            raise InputError(f"{path}, line {record.last:,}: {record.message}.")
        for kept, place in zip(values, places, strict=True):
            kept.append(record.fields[place])
    return pd.DataFrame(dict(zip(columns, values, strict=True)), dtype=object)


def _read_jsonl(file: TextIO, path: str, columns: list[str], key: str) -> pd.DataFrame:
    names: dict[str, None] = {}
    values: dict[str, list] = {column: [] for column in columns}
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("["):
            raise InputError(
                f"{path}, line {number:,}: must be a JSON object. Received: {line.strip()[:60]}. Write each row on a "
                "line of its own, without brackets around them."
            )
        try:
            record = _JSON.decode(line)
        except (ValueError, RecursionError) as error:  # also raised by a number of more than 4,300 digits
            raise InputError(f"{path}, line {number:,}: cannot be read as JSON: {error}.") from None
        if not isinstance(record, dict):
            raise InputError(f"{path}, line {number:,}: must be a JSON object. Received: {line.strip()[:60]}.")
        names.update(dict.fromkeys(record))
        for column, kept in values.items():
            kept.append(record.get(column))
    if any(values.values()):
        _require(path, columns, list(names), key)
    return pd.DataFrame(values, dtype=object)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns a JSON object; raises ValueError when it has a key twice, as one value would hide the other."""
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} appears twice")
    return record


_JSON = json.JSONDecoder(object_pairs_hook=_once)


def _require(path: str, columns: Sequence[str], header: Sequence[str], key: str) -> None:
    section = key.rsplit(".", 1)[0]
    absent = [column for column in columns if column not in header]
    if absent:
        raise absent_columns(path, absent, header, f"Map the columns under `{section}`.")
    for column in columns:
        if list(header).count(column) > 1:
            raise InputError(f"{path}: column `{column}` appears twice. Rename one of them.")


def _read_tfds(path: str, columns: list[str], key: str, tfds_dir: str | None) -> pd.DataFrame:
    import tensorflow_datasets as tfds

    import mmrec.data.sample_shop.shop  # noqa: F401  (registers the built-in data set)

    tfds.disable_progress_bar()
    name, _, split = path.removeprefix("tfds:").partition(":")
    try:
        builder = tfds.builder(name, data_dir=tfds_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise InputError(
            f"{path}: TFDS knows no such data set in {tfds_dir or 'its default folder'}: {error}"
        ) from None
    _require(path, columns, list(builder.info.features), key)
    builder.download_and_prepare()
    wanted = {
        column: tfds.decode.SkipDecoding()
        for column in columns
        if isinstance(builder.info.features[column], tfds.features.Image)
    }
    read = tfds.ReadConfig(interleave_cycle_length=1)  # keeps the file's order
    try:
        data = builder.as_dataset(split=split or "train", read_config=read, decoders=wanted or None)
    except ValueError as error:
        raise InputError(f"{path}: no such split, or an empty one: {error}") from None
    rows = [[_text(record[column]) for column in columns] for record in tfds.as_numpy(data)]
    return pd.DataFrame(rows, columns=columns)


def _text(value: Any) -> Any:
    """Returns bytes that are text as str; encoded files stay bytes, as they have NULs or are not UTF-8."""
    if isinstance(value, bytes) and b"\0" not in value:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    return value


def flat_strings(table: pd.DataFrame, column: str, path: str) -> np.ndarray:
    """Returns `values.names` of a column: ids, categories, types.

    Args:
      table: R rows; the index is the row in the file, from 0.
      column: name of the column.
      path: path of the file, for messages.

    Raises:
      InputError: a value is a list or an object, or bytes that are not UTF-8.
    """
    rule = "must be a text or a number"
    _refuse(table[column], nested, path, rule, "Write one value per row, or name another column.")
    _refuse(table[column], _no_texts, path, "must be text in UTF-8", "Write it again as UTF-8.")
    return names(table[column])


def list_strings(table: pd.DataFrame, column: str, path: str) -> np.ndarray:
    """Returns `values.name_lists` of a column whose cells may have several values; else as `flat_strings`."""
    _refuse_nested_lists(table[column], path)
    return name_lists(table[column])


def text_strings(table: pd.DataFrame, column: str, path: str) -> np.ndarray:
    """Returns `values.joined` of a column of texts or lists of texts; else as `flat_strings`."""
    _refuse_nested_lists(table[column], path)
    return joined(table[column])


def _refuse_nested_lists(column: pd.Series, path: str) -> None:
    rule = "must be a text or a number, or a list of them"
    _refuse(column, _nested_lists, path, rule, "Write it as such, or name another column.")


def _refuse(column: pd.Series, wrong: Callable[[pd.Series], np.ndarray], path: str, rule: str, remedy: str) -> None:
    """Raises InputError for the first cell of the file that is wrong."""
    rows = np.sort(column.index[wrong(column)])
    if len(rows):
        raise InputError(
            f"{rows_text(path, rows, str(column.name))}: {rule}. Received: {column[rows[0]]!r:.80}. {remedy}"
        )


def _nested_lists(column: pd.Series) -> np.ndarray:
    return np.array([holds_nested(value) for value in column], bool)


def _no_texts(column: pd.Series) -> np.ndarray:
    if pd.api.types.infer_dtype(column, skipna=True) not in ("bytes", "mixed"):
        return np.zeros(len(column), bool)
    return np.array([isinstance(value, bytes) and unicode(value).encode() != value for value in column], bool)


def rows_text(path: str, rows: np.ndarray, column: str) -> str:
    """Returns "FILE, row 7, column `x`" for the first of `rows` (0-based; shown from 1, the header not counted)."""
    more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
    return f"{path}, row {int(rows[0]) + 1:,}{more}, column `{column}`"
