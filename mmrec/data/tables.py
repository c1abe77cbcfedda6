"""Reads a table of any supported kind into a DataFrame; every failure says where it is."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from mmrec.errors import InputError, nearest
from mmrec.vectors import unicode

FORMATS = (".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz")


def read_table(path: str, columns: Sequence[str], *, key: str, tfds_dir: str | None = None) -> pd.DataFrame:
    """Reads the named columns of a table.

    Args:
      path: a file in one of `FORMATS`, or `tfds:NAME[/CONFIG][:SPLIT]` (split `train` by default).
      columns: the columns to read; all must exist.
      key: the config key of `path`, for messages.
      tfds_dir: folder of prepared TFDS data sets.

    Returns:
      One row per record in the file's order, numbered from 0. CSV gives strings ("" where nothing stands), the other
      formats values of their own types (None or NaN where nothing stands).

    Raises:
      InputError: file absent, unreadable or empty, or a column missing.
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
        with (gzip.open if suffix.endswith(".gz") else open)(path, "rt", encoding="utf-8-sig", newline="") as file:
            return (_read_csv if suffix.startswith(".csv") else _read_jsonl)(file, path, columns, key)
    except UnicodeDecodeError as error:
        found = error.object[error.start]
        raise InputError(f"{path}: must be UTF-8. Received byte {found:#04x}. Re-save it as UTF-8.") from None
    except InputError:
        raise
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read as {suffix}: {error}. Write it again, or name its format by the ending."
        ) from None


def _read_parquet(path: str, columns: list[str], key: str) -> pd.DataFrame:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        _require(path, columns, file.schema_arrow.names, key)
        # A column of whole numbers with gaps would become float and round large ids; an index would hide a column.
        return file.read(columns).to_pandas(integer_object_nulls=True, ignore_metadata=True)[columns]


def _read_csv(file: TextIO, path: str, columns: list[str], key: str) -> pd.DataFrame:
    """Reads with the csv module: pandas drops surplus fields silently, which hides an unquoted comma."""
    csv.field_size_limit(2**31 - 1)  # the module's own limit is 131,072 characters; a description may be longer
    records = csv.reader(file, strict=True)
    try:
        header = next(records, [])
        _require(path, columns, header, key)
        places = [header.index(column) for column in columns]
        values: list[list[str]] = [[] for _ in columns]
        for record in records:
            if len(record) == len(header):
                for kept, place in zip(values, places, strict=True):
                    kept.append(record[place])
            elif record:  # blank lines are no rows
                raise InputError(
                    f"{path}, line {records.line_num:,}: must have {len(header)} fields, as the header has. Received: "
                    f"{len(record)}. Quote fields that hold commas or line breaks."
                )
    except csv.Error as error:
        raise InputError(f"{path}, line {records.line_num:,}: cannot be read as CSV: {error}.") from None
    return pd.DataFrame(dict(zip(columns, values, strict=True)), dtype=object)


def _read_jsonl(file: TextIO, path: str, columns: list[str], key: str) -> pd.DataFrame:
    names: dict[str, None] = {}
    values: dict[str, list] = {column: [] for column in columns}
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{path}, line {number:,}: cannot be read as JSON: {error}.") from None
        if not isinstance(record, dict):
            raise InputError(f"{path}, line {number:,}: must be a JSON object. Received: {line.strip()[:60]}.")
        names.update(dict.fromkeys(record))
        for column, kept in values.items():
            kept.append(record.get(column))
    if any(values.values()):
        _require(path, columns, list(names), key)
    return pd.DataFrame(values, dtype=object)


def _require(path: str, columns: Sequence[str], found: Sequence[str], key: str) -> None:
    section = key.rsplit(".", 1)[0]
    absent = [column for column in columns if column not in found]
    if absent:
        nor = f" (nor {', '.join(f'`{column}`' for column in absent[1:])})" if len(absent) > 1 else ""
        raise InputError(
            f"{path}: no column `{absent[0]}`{nor}.{nearest(absent[0], found)} Found: {', '.join(map(str, found))}. "
            f"Map the columns under `{section}`."
        )
    for column in columns:
        if list(found).count(column) > 1:
            raise InputError(f"{path}: column `{column}` stands twice. Rename one of them.")


def _read_tfds(path: str, columns: list[str], key: str, tfds_dir: str | None) -> pd.DataFrame:
    import tensorflow_datasets as tfds

    import mmrec.data.sample_shop  # noqa: F401  (registers the built-in data set)

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
    """Returns the str of bytes that are text; encoded files stay bytes: they hold NULs or are not UTF-8."""
    if isinstance(value, bytes) and b"\0" not in value:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    return value


def strings(values: pd.Series) -> np.ndarray:
    """Returns a column as str objects [R]; whole numbers lose a trailing `.0`, nothing becomes "".

    What is no Unicode text (bytes that are not UTF-8, half of a surrogate pair) becomes a replacement character.
    """
    if _only_text(values):  # each distinct text is looked at once: a million events name far fewer users and items
        place, distinct = pd.factorize(values.to_numpy(object))
        return np.array([*(unicode(value) for value in distinct), ""], dtype=object)[place]  # -1: nothing
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if (whole == whole.round()).all():
            values = values.astype("Int64")
    found = values.astype(object).where(values.notna(), "")
    return np.array([unicode(value) for value in found], dtype=object)


def flat_strings(table: pd.DataFrame, column: str, path: str) -> np.ndarray:
    """Returns `strings` of a column that holds texts or numbers.

    Raises:
      InputError: a value is a list or an object.
    """
    if _only_text(table[column]):
        return strings(table[column])
    nested = table[column].map(lambda value: isinstance(value, list | tuple | dict | set | np.ndarray)).to_numpy(bool)
    rows = np.flatnonzero(nested)
    if len(rows):
        raise InputError(
            f"{rows_text(path, rows, column)}: must be a text or a number. Received: "
            f"{table[column].iloc[rows[0]]!r:.80}. Write one value per row, or name another column."
        )
    return strings(table[column])


def _only_text(values: pd.Series) -> bool:
    return pd.api.types.infer_dtype(values, skipna=True) == "string"


def rows_text(path: str, rows: np.ndarray, column: str) -> str:
    """Returns "FILE, row 7, column `x`" for the first of `rows` (0-based; shown from 1, the header not counted)."""
    more = f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else ""
    return f"{path}, row {int(rows[0]) + 1:,}{more}, column `{column}`"
