"""The catalog: all items, one checked row each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmrec.config.data import CatalogConfig
from mmrec.data.attributes import read_attributes
from mmrec.data.media import File, content, read_files
from mmrec.data.tables import flat_strings, list_strings, read_table, rows_text, text_strings
from mmrec.errors import Faults, InputError
from mmrec.modalities.features.vectors import read_vectors
from mmrec.preprocess.images import MAX_PIXELS
from mmrec.preprocess.transcode import graph_readable
from mmrec.values import Spellings, holds_lists, name_lists, strings
from mmrec.vectors import listed

_UNLISTED = (str, set, frozenset)  # of cells of lists, those that parquet would not take as such


@dataclass(frozen=True)
class Catalog:
    """Items in the order of their ids, so that the order of the file changes nothing.

    Attributes:
      item_ids: str objects [N], unique.
      text: per text column, str objects [N], "" where there is none.
      photos: objects [N]: the path of a file, encoded bytes, a tuple of several of these, or None.
      payload: the columns that travel with the export, one row per item; those of `filters` as text, or as lists of it
        where an item has several.
      filters: per column that answers can be restricted by, objects [N], the tuple of an item's values as str.
      features: float32 [N, F], a row of NaN where an item has none; None without the modality.
      attributes: per attribute column, str objects [N] ("" is none) or float32 [N] (NaN is none).
      sounds: as `photos`, one recording each; empty without the modality.
      source_rows: int64 [N], 0-based row of each item in the file, for messages.
      counts: what was skipped or masked, by reason.
    """

    item_ids: np.ndarray
    text: Mapping[str, np.ndarray]
    photos: np.ndarray
    payload: pd.DataFrame
    source_rows: np.ndarray
    counts: Mapping[str, int]
    filters: Mapping[str, np.ndarray] = field(default_factory=dict)
    features: np.ndarray | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    sounds: np.ndarray = field(default_factory=lambda: np.zeros(0, object))

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def missing(self) -> dict[str, np.ndarray]:
        """Items that lack what a modality reads, bool [N] by modality; only modalities that some item has."""
        found = {}
        if self.text:
            found["text"] = np.all([column == "" for column in self.text.values()], axis=0)
        for name, files in (("image", self.photos), ("audio", self.sounds)):
            if any(file is not None for file in files):
                found[name] = np.array([file is None for file in files])
        if self.attributes:
            columns = self.attributes.values()
            none = [column == "" if column.dtype == object else np.isnan(column) for column in columns]
            found["attributes"] = np.all(none, axis=0)
        if self.features is not None:
            found["features"] = np.isnan(self.features[:, 0])
        return found

    @property
    def has_photos(self) -> bool:
        """Whether any item has a photo."""
        return any(photo is not None for photo in self.photos)

    def take(self, items: np.ndarray) -> Catalog:
        """Returns the catalog of the items at these positions (int [S])."""
        return replace(
            self,
            item_ids=self.item_ids[items],
            text={column: values[items] for column, values in self.text.items()},
            photos=self.photos[items],
            payload=self.payload.iloc[items].reset_index(drop=True),
            source_rows=self.source_rows[items],
            filters={column: values[items] for column, values in self.filters.items()},
            features=None if self.features is None else self.features[items],
            attributes={column: values[items] for column, values in self.attributes.items()},
            sounds=self.sounds[items] if len(self.sounds) else self.sounds,
        )

    def spelt_as(self, item_ids: Sequence[str]) -> Catalog:
        """Returns the same catalog with its ids spelt as those of `item_ids` that they are; the others stay."""
        ids = Spellings(item_ids).spelt(self.item_ids)
        ids = np.where(pd.Series(ids).duplicated(keep=False), self.item_ids, ids)
        return replace(self, item_ids=ids, payload=self.payload.assign(item_id=ids))

    def photo_files(self, item: int) -> Sequence[File]:
        """Returns the photos of the item at this position: paths or encoded bytes."""
        photos = self.photos[item]
        return photos if isinstance(photos, tuple) else () if photos is None else (photos,)

    def photo_bytes(self, item: int, number: int = 0, max_pixels: int = MAX_PIXELS) -> bytes:
        """Returns a photo of the item at this position, as the graph reads it; b"" where there is none.

        Args:
          item: 0-based.
          number: which of the item's photos, 0-based.
          max_pixels: width times height above which a photo is unreadable.
        """
        files = self.photo_files(item)
        return graph_readable(content(files[number]), max_pixels) if number < len(files) else b""

    def sound_bytes(self, item: int) -> bytes:
        """Returns the encoded recording of the item at this position, b"" where there is none."""
        return content(self.sounds[item])


def load_catalog(
    config: CatalogConfig, modalities: tuple[str, ...], tfds_dir: str | None = None, categories_as_written: bool = False
) -> Catalog:
    """Reads and checks the catalog; only what the modalities and the payload need is read.

    Args:
      config: where it is, and its columns.
      modalities: the towers in use.
      tfds_dir: folder of prepared TFDS data sets.
      categories_as_written: for a model of an earlier mmrec, see `attributes.read_attributes`.

    Raises:
      InputError: naming file, row and column of each kind of fault.
    """
    named = {name: getattr(config, name) for name in ("text", "image", "audio", "attributes", "features")}
    for name, column in named.items():
        if name in modalities and not column:
            raise InputError(
                f"`data.catalog.{name}`: must name a column when `item.modalities` has `{name}`. Received: "
                f"{'null' if column is None else 'none'}."
            )
    used = {name: column if name in modalities else None for name, column in named.items()}
    text, attributes = used["text"] or (), used["attributes"] or {}
    media = [used[name] for name in ("image", "audio", "features") if used[name]]
    columns = [config.item_id, *text, *media, *attributes, *config.payload, *config.filters]
    table = read_table(config.path, columns, key="data.catalog.path", tfds_dir=tfds_dir)
    faults, texts, filters = Faults(), {}, {}
    for column in text:
        with faults.collected():
            texts[column] = text_strings(table, column, config.path)
    for column in dict.fromkeys(config.filters):
        with faults.collected():
            filters[column] = list_strings(table, column, config.path)
    with faults.collected():
        ids = flat_strings(table, config.item_id, config.path)
    faults.raise_any()
    keep, counts = _good_rows(ids, config, faults)
    source_rows = np.flatnonzero(keep)[np.argsort(ids[keep], kind="stable")]
    table, ids = table.iloc[source_rows], ids[source_rows]
    filters = {column: values[source_rows] for column, values in filters.items()}
    files, values, features = {}, {}, None
    for name in ("image", "audio"):
        with faults.collected():
            files[name] = read_files(table[used[name]] if used[name] else None, name, config, source_rows)
            counts[f"{name}_missing"] = files[name].missing
    if attributes:
        with faults.collected():
            values, counts["attribute_masked"] = read_attributes(
                table, config, source_rows, as_written=categories_as_written
            )
    if used["features"]:
        with faults.collected():
            features = read_vectors(table[used["features"]], config.path, source_rows)
    with faults.collected():
        payload = _payload(table, config, ids, filters)
    faults.raise_any()
    return Catalog(
        item_ids=ids,
        text={column: values[source_rows] for column, values in texts.items()},
        photos=files["image"].files,
        sounds=files["audio"].files,
        payload=payload,
        source_rows=source_rows,
        counts={reason: count for reason, count in counts.items() if count},
        filters=filters,
        features=features,
        attributes=values,
    )


def _good_rows(ids: np.ndarray, config: CatalogConfig, faults: Faults) -> tuple[np.ndarray, dict[str, int]]:
    """Returns which rows have an id of their own (bool [R]), and counts the others, which are faults unless skipped."""
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
    for name, meaning in (("item_id", "id"), ("digest", "content digest")):
        if name in chosen:
            key = "payload" if name in config.payload else "filters"
            raise InputError(f"`data.catalog.{key}`: `{name}` is the name of the item's {meaning} there. Leave it out.")
    payload = table[chosen].reset_index(drop=True)
    for column in chosen:
        several = holds_lists(payload[column])
        if column in filters:  # what is seen is what can be asked for
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
    payload.insert(0, "item_id", ids)
    return payload
