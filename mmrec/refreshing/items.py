"""Compares a new catalog with an export: finds the items that are unchanged, and embeds the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.raw_items import RawItems
from mmrec.errors import InputError
from mmrec.export.trained_model import TrainedModel
from mmrec.index.item_table import ItemTable
from mmrec.progress import progress

_BATCH = 64  # items in memory at once, with their photos
_REPLACE = "Replace it, or set `data.catalog.on_missing_{0}: mask` to embed the item without it."


@dataclass(frozen=True)
class Contents:
    """The items of the next version, by row: first those of the export that stay, in their order, then new ones.

    Attributes:
      order: int64 [M], the place of each row's item in the catalog, from 0.
      digests: the content digests of the M items.
      source: int64 [M + 1], the row in the export whose vector each keeps; 0: it is embedded anew. `source[0]` is 0.
      fresh: the vectors of the items that are embedded anew, in row order, without a padding row.
      changes: number of items `unchanged`, `changed`, `new` and `delisted`.
      left_out: number of rows, photos and recordings that were left out, by reason.
    """

    order: np.ndarray
    digests: Sequence[str]
    source: np.ndarray
    fresh: ItemTable
    changes: Mapping[str, int]
    left_out: Mapping[str, int]


def read_contents(
    raw: RawItems, catalog: Catalog, config: Config, model: TrainedModel, items: pd.DataFrame
) -> Contents:
    """Reads the raw fields of every item once, and embeds those that are new or have changed.

    Args:
      raw: the raw fields of the new catalog's items.
      catalog: the new catalog.
      config: how the catalog is read.
      model: embeds items.
      items: the items of the export in row order, with `item_id` and `digest`.

    Raises:
      InputError: an item cannot be read or embedded; the message names the row of the first one.
    """
    _require_content(raw, catalog, config, model)
    row_of = {item: row for row, item in enumerate(items[schema.ID], start=1)}
    rows = np.array([row_of.get(item, 0) for item in catalog.item_ids], np.int64)  # [N], in the export; 0: new
    exported, digests = ["", *items["digest"]], []
    judge = _Judge(raw, catalog, config)
    pending: dict[int, Mapping] = {}
    vectors: dict[int, np.ndarray] = {}
    for item, row in enumerate(rows):
        digests.append(raw.digest(item))
        if not row or exported[row] != digests[item]:
            pending[item] = raw.item(item)
        last = item + 1 == len(rows)
        if pending and (last or len(pending) == _BATCH):
            embedded = zip(pending, *_embed(model, raw.columns([*pending.values()])), strict=True)
            vectors |= {one: vector for one, vector, status in embedded if judge(one, status)}
            pending = {}
        if last or not (item + 1) % _BATCH:
            progress("digests", item + 1, len(rows))
    same = np.array([exported[row] == digest for row, digest in zip(rows, digests, strict=True)])
    left = np.flatnonzero(same | np.isin(np.arange(len(rows)), [*vectors]))
    if not len(left):
        raise InputError(f"{config.data.catalog.path}: no item is left after skipping. Correct the catalog.")
    order = left[np.argsort(np.where(rows[left] > 0, rows[left], len(items) + 1), kind="stable")]
    source = np.append(0, np.where(same, rows, 0)[order])
    stay, keep = int((rows[order] > 0).sum()), int((source > 0).sum())
    fresh = [vectors[item] for item in order if not same[item]]
    none = np.zeros([0, model.embed.structured_outputs["vector"].shape[1]], np.float32)
    return Contents(
        order=order,
        digests=[digests[item] for item in order],
        source=source,
        fresh=model.item_table(np.stack(fresh) if fresh else none),
        changes={
            "unchanged": keep,
            "changed": stay - keep,
            "new": len(order) - stay,
            "delisted": len(items) - stay,
        },
        left_out={**catalog.counts, **judge.counts},
    )


def _embed(model: TrainedModel, columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the vectors, float32 [B, D + R], and the status, int32 [B]."""
    tensors = {
        name: tf.reshape(tf.constant(columns[name].ravel().tolist(), spec.dtype), columns[name].shape)
        for name, spec in model.item_inputs.items()
    }
    outputs = model.embed(tensors)
    return outputs["vector"].numpy(), outputs["status"].numpy()


def _require_content(raw: RawItems, catalog: Catalog, config: Config, model: TrainedModel) -> None:
    """Checks that the catalog has the files and vectors that the model reads."""
    path = config.data.catalog.path
    for field in raw.fields:
        if field.kind == schema.VECTOR_KIND:
            width = model.item_inputs[field.input].shape[1]
            held = np.shape(raw.value(field, 0))[0]
            if held != width:
                raise InputError(
                    f"{path}, column `{field.column}`: must have {width} numbers, as the model was trained with. "
                    f"Received: {held}. Make them as those of training were made."
                )
        if field.kind == schema.BYTES_KIND and catalog.content[field.modality].missing.all():
            raise InputError(
                f"{path}, column `{field.column}`: no item has a file, and the model reads them. Correct "
                f"`data.catalog.{field.modality}_dir`."
            )


class _Judge:
    """Decides whether an embedded item stays, and counts what was left out."""

    def __init__(self, raw: RawItems, catalog: Catalog, config: Config):
        self._catalog, self._config = catalog, config.data.catalog
        self._columns = [field.column for field in raw.fields if field.kind != schema.ID_KIND]
        self._files = [field for field in raw.fields if field.status]
        self.counts: Counter[str] = Counter()

    def __call__(self, item: int, status: int) -> bool:
        where = f"{self._config.path}, row {self._catalog.source_rows[item] + 1:,}"
        for field in self._files:
            if status & field.status:
                if getattr(self._config, f"on_missing_{field.modality}", "mask") == "error":
                    remedy = _REPLACE.format(field.modality)
                    raise InputError(f"{where}, column `{field.column}`: cannot be decoded. {remedy}")
                self.counts[f"{field.modality}_unreadable"] += 1
        if not status & schema.ROW_STATUS_EMPTY:
            return True
        item_id = self._catalog.item_ids[item]
        if not self._columns:
            raise InputError(
                f"{where}: a model that reads nothing but `item_id` cannot embed a new item. Received: {item_id!r}. "
                "Train again to recommend it, or leave it out of the catalog."
            )
        if self._config.on_bad_row == "error":
            names = ", ".join(f"`{column}`" for column in self._columns)
            raise InputError(
                f"{where}: a new or changed item needs something that the model reads, in one of {names}. Received: "
                f"{item_id!r}, with nothing readable. Fill it in, or set `data.catalog.on_bad_row: skip` to leave such "
                "items out."
            )
        self.counts["item_without_content"] += 1
        return False
