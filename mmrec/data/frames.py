"""Lets DataFrames stand for tables in a config: each is written to a parquet file, which the config then names."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.config import Config
from mmrec.config.data import CatalogConfig
from mmrec.config.section import marked_paths
from mmrec.errors import InputError, writing

SUFFIX = ".frame.parquet"  # distinguishes such a file from the user's own
_TEMPORARY = ".temporary" + SUFFIX
_TABLES = ("catalog", "interactions", "users")


@contextmanager
def config_with_frames(source: Any, overrides: Mapping[str, Any]) -> Iterator[Config]:
    """Loads a config in which DataFrames may stand for tables: in place of a path, or of the whole section.

    They are written to temporary files, which the config names and which are deleted at the end. Relative paths of
    photos and recordings in them start at the working directory.

    Args:
      source: as for `Config.load`.
      overrides: as for `Config.load`.

    Raises:
      InputError: as `Config.load`, or a DataFrame cannot be used. Messages of errors raised inside name the keys of
        DataFrames instead of temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="mmrec-") as name:
        folder = Path(name)
        source = _without_frames(source, (), folder)
        config = Config.load(source, **{key: _without_frames(overrides[key], (key,), folder) for key in overrides})
        if Path(config.data.catalog.path).parent == folder:
            folders = [key for key, _ in marked_paths(CatalogConfig) if key != "path"]
            media = {key: getattr(config.data.catalog, key) or os.getcwd() for key in folders}
            config = Config.load(config, data={"catalog": media})
        try:
            yield config
        except InputError as error:
            raise InputError(*(called_by_key(config, message) for message in error.messages)) from None


def frame_paths(config: Config) -> dict[str, Path]:
    """Returns the files of the tables that were DataFrames, by section (`catalog`, `interactions`, `users`)."""
    sections = ((table, getattr(config.data, table)) for table in _TABLES)
    return {table: Path(section.path) for table, section in sections if section and section.path.endswith(SUFFIX)}


def called_by_key(config: Config, message: str) -> str:
    """Returns a message with the keys of DataFrames in place of the paths of their temporary files."""
    for table, path in frame_paths(config).items():
        if path.name.endswith(_TEMPORARY):
            message = message.replace(str(path), f"the DataFrame `data.{table}`")
    return message


def _without_frames(value: Any, keys: Sequence[str], folder: Path) -> Any:
    """Writes the DataFrames in the value of a key and returns it with their paths."""
    if isinstance(value, Mapping):
        return {key: _without_frames(inner, (*keys, str(key)), folder) for key, inner in value.items()}
    if not isinstance(value, pd.DataFrame):
        return value
    key = ".".join(keys)
    section, _, table = key.removesuffix(".path").partition(".")
    if section != "data" or table not in _TABLES:
        raise InputError(
            f"`{key or 'config'}`: takes no DataFrame. Received: one of {len(value):,} rows. A DataFrame may stand for "
            f"a table: {', '.join(f'`data.{name}`' for name in _TABLES)}."
        )
    path = folder / f"{table}{_TEMPORARY}"
    _write(value, path, f"the DataFrame `data.{table}`")
    return str(path) if key.endswith(".path") else {"path": str(path)}


def _write(frame: pd.DataFrame, path: Path, name: str) -> None:
    """Writes a DataFrame as parquet. Equal content gives equal bytes, whatever the index numbers.

    Named levels of the index become columns, as when pandas writes parquet.
    """
    if not len(frame):
        raise InputError(f"{name}: holds no rows. Give a table with at least one.")
    unusable = next((column for column in frame.columns if not isinstance(column, str)), None)
    if unusable is not None:
        raise InputError(f"{name}: names of columns must be texts. Received: {unusable!r}. Rename the column.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise InputError(f"{name}: column `{twice[0]}` appears twice. Rename one of them.")
    named = [level for level in frame.index.names if isinstance(level, str) and level not in frame.columns]
    columns = {level: frame.index.get_level_values(level) for level in named} | dict(frame.items())
    arrays = {column: _array(values, f"{name}, column `{column}`") for column, values in columns.items()}
    with writing(path, None):
        pq.write_table(pa.table(arrays), path)


def _array(values: pd.Series | pd.Index, name: str) -> pa.Array:
    """Returns a column as an array that parquet can store."""
    try:
        array = pa.array(values, from_pandas=True)
        pq.write_table(pa.table({"": array[:0]}), io.BytesIO())  # parquet lacks some of Arrow's types
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{name}: cannot be written as parquet: {said}. Give all its values one type, such as by `.astype(str)`, "
            "or drop the column."
        ) from None
    return array
