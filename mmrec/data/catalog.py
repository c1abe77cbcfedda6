"""The catalog: reads and checks the table of items, one row each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec import schema
from mmrec.config.data import CatalogConfig
from mmrec.data.content import Content, ContentReader
from mmrec.data.tables import flat_strings, list_strings, read_table, rows_text
from mmrec.errors import Faults, InputError
from mmrec.values import Spellings, holds_lists, name_lists, strings
from mmrec.vectors import listed

_UNLISTED = (str, set, frozenset)  # cells in columns of lists that parquet would not accept as they are


@dataclass(frozen=True)
class Catalog:
    """All items, sorted by id, so that the order of the file changes nothing.

    Attributes:
      item_ids: str objects [N], unique.
      content: what the items show and say, by modality; modalities that read only ids have none.
      payload: the columns that the export keeps, one row per item; the columns of `filters` as texts, or as lists of
        texts where an item has several.
      source_rows: int64 [N], 0-based row of each item in the file, for messages.
      counts: what was skipped or masked, by reason.
      filters: by filter column, objects [N]: a tuple of each item's values as str.
    """

    item_ids: np.ndarray
    content: Mapping[str, Content]
    payload: pd.DataFrame
    source_rows: np.ndarray
    counts: Mapping[str, int] = field(default_factory=dict)
    filters: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def missing(self) -> dict[str, np.ndarray]:
        """bool [N] by modality: items that have nothing for it; without modalities that no item has."""
        masks = {name: content.missing for name, content in self.content.items()}
        return {name: mask for name, mask in masks.items() if not mask.all()}

    def take(self, items: np.ndarray) -> Catalog:
        """Returns the catalog of the items at these positions (int [S])."""
        return replace(
            self,
            item_ids=self.item_ids[items],
            content={name: content.take(items) for name, content in self.content.items()},
            payload=self.payload.iloc[items].reset_index(drop=True),
            source_rows=self.source_rows[items],
            filters={column: values[items] for column, values in self.filters.items()},
        )

    def spelt_as(self, item_ids: Sequence[str]) -> Catalog:
        """Returns the same catalog, with ids spelt as their equals in `item_ids`; the other ids stay."""
        ids = Spellings(item_ids).spelt(self.item_ids)
        ids = np.where(pd.Series(ids).duplicated(keep=False), self.item_ids, ids)
        return replace(self, item_ids=ids, payload=self.payload.assign(**{schema.ID: ids}))


def load_catalog(config: CatalogConfig, readers: Mapping[str, ContentReader], tfds_dir: str | None = None) -> Catalog:
    """Reads and checks the catalog; only the columns that are needed are read.

    Args:
      config: where it is, and its columns.
      readers: by name, those of the modalities in use.
      tfds_dir: folder of prepared TFDS data sets.

    Raises:
      InputError: naming file, row and column of each kind of fault.
    """
    read = [column for reader in readers.values() for column in reader.columns]
    columns = [config.item_id, *read, *config.payload, *config.filters]
    table = read_table(config.path, columns, key="data.catalog.path", tfds_dir=tfds_dir)
    faults, filters = Faults(), {}
    for column in dict.fromkeys(config.filters):
        with faults.collected():
            filters[column] = list_strings(table, column, config.path)
    with faults.collected():
        ids = flat_strings(table, config.item_id, config.path)
    faults.raise_any()
    keep, counts = _good_rows(ids, config, faults)
    source_rows = np.flatnonzero(keep)[np.argsort(ids[keep], kind="stable")]
    contents: dict[str, Content] = {}
    for name, reader in readers.items():
        with faults.collected():
            content = reader.read(table, source_rows)
            if content is not None:
                contents[name] = content
                counts |= content.counts
    ids = ids[source_rows]
    filters = {column: values[source_rows] for column, values in filters.items()}
    with faults.collected():
        payload = _payload(table.iloc[source_rows], config, ids, filters)
    faults.raise_any()
    return Catalog(
        item_ids=ids,
        content=contents,
        payload=payload,
        source_rows=source_rows,
        counts={reason: count for reason, count in counts.items() if count},
        filters=filters,
    )


def _good_rows(ids: np.ndarray, config: CatalogConfig, faults: Faults) -> tuple[np.ndarray, dict[str, int]]:
    """Returns bool [R], the rows with an id of their own, and counts the others: faults, unless they are skipped."""
    empty = ids == ""
    again = pd.Series(ids).duplicated().to_numpy() & ~empty
    for fault, rule in ((empty, "every item needs an id. Received: nothing"), (again, "ids must be unique")):
        rows = np.flatnonzero(fault)
        if len(rows) and config.on_bad_row == "error":
            where = rows_text(config.path, rows, config.item_id)
            seen = f". Received again: {ids[rows[0]]!r}" if fault is again else ""
            faults.messages.append(
                f"{where}: {rule}{seen}. Set `data.catalog.on_bad_row: skip` to leave such rows out."
            )
    keep = ~(empty | again)
    if not keep.any():
        faults.raise_any()
        raise InputError(f"{config.path}: no row is left after skipping. Every item needs an id in `{config.item_id}`.")
    return keep, {"item_without_id": int(empty.sum()), "duplicate_item": int(again.sum())}


def _payload(
    table: pd.DataFrame, config: CatalogConfig, ids: np.ndarray, filters: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    if config.item_id in config.filters:
        raise InputError(
            f"`data.catalog.filters`: `{config.item_id}` is the item's id. Leave it out; answers can be restricted to "
            "ids with `include`."
        )
    chosen = [name for name in dict.fromkeys((*config.payload, *config.filters)) if name != config.item_id]
    for name, meaning in ((schema.ID, "id"), ("digest", "content digest")):
        if name in chosen:
            key = "payload" if name in config.payload else "filters"
            raise InputError(f"`data.catalog.{key}`: `{name}` is the name of the item's {meaning} there. Leave it out.")
    payload = table[chosen].reset_index(drop=True)
    for column in chosen:
        several = holds_lists(payload[column])
        if column in filters:  # shown as it can be filtered by
            payload[column] = [list(cell) if several else "".join(cell) for cell in filters[column]]
            continue
        if several:
            payload[column] = [
                (listed(cell) if cell else None) if isinstance(cell, _UNLISTED) else cell for cell in payload[column]
            ]
        try:
            values = pa.array(payload[column], from_pandas=True)
            if pa.types.is_nested(values.type):
                pq.write_table(pa.table({column: values}), io.BytesIO())  # takes no object without a field
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            # JSON may mix types in a column, hold numbers of any size and halves of letters; parquet may not.
            payload[column] = [*map(list, name_lists(payload[column]))] if several else strings(payload[column])
    payload.insert(0, schema.ID, ids)
    return payload
