"""Brings an export up to date with a new catalog, as its next version, without training."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mmrec import schema
from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.feature_store import digest
from mmrec.data.raw_items import RawItems
from mmrec.errors import InputError
from mmrec.export.held_items import HeldItems, held_items
from mmrec.export.saved_model import write_version
from mmrec.export.serving_module import Parts
from mmrec.export.signatures.names import find_signatures
from mmrec.export.stated import stated_interface
from mmrec.export.trained_model import TrainedModel, restore_model
from mmrec.modalities.catalog import read_catalog
from mmrec.modalities.fields import item_fields
from mmrec.refreshing.config import refreshed_config
from mmrec.refreshing.delisting import DelistingLimit
from mmrec.refreshing.items import Contents, read_contents
from mmrec.refreshing.samples import refresh_samples
from mmrec.serving.loading import load_export
from mmrec.serving.verify import read_delisted, read_manifest, verify_files
from mmrec.version import __version__

MAX_DELISTED = 0.3
_OF_A_VERSION = ("format_version", "versions", "signatures", "sha256", "run", "columns")  # new for each version


@dataclass(frozen=True)
class RefreshResult:
    """The result of a refresh.

    Attributes:
      export_dir: the folder of the new version, or of the old one if nothing has changed.
      changes: number of items `unchanged`, `changed`, `new` and `delisted`.
    """

    export_dir: Path
    changes: Mapping[str, int]


def refresh(
    export_dir: str | os.PathLike[str],
    catalog: str | os.PathLike[str],
    *,
    max_delisted: float = MAX_DELISTED,
    histories: str | os.PathLike[str] | None = None,
    **overrides: Any,
) -> RefreshResult:
    """Brings an export up to date with a catalog. It needs only the export, and trains nothing.

    New and changed items are embedded from their raw fields, delisted ones are dropped, and filters and payload are
    replaced; items with the same content keep exactly the same vectors. The result is the next version in the same
    folder, written as by `train`: complete, reloaded and compared, or not at all. If nothing has changed, nothing is
    written.

    Columns may have other names than in training: name them in `data.catalog`, in the same order as in training. A
    column that has the same name is the same column, wherever it stands. The next version keeps the export's names in
    its signatures.

    Args:
      export_dir: the version folder.
      catalog: the table of all items, read as the export's own config says. Relative paths of photos start at
        `data.catalog.image_dir`, or if that is null at the folder of this table; those of recordings likewise.
      max_delisted: the largest share of the export's items that the catalog may lack, 0 to 1. A catalog that lacks more
        is probably cut off, or spells ids differently.
      histories: parquet or csv file of recent histories, see `mmrec.scoring.history_files`. With it, `max_delisted`
        also bounds the share of delisted items among the items of these histories. None: all items count alike.
      **overrides: values of `data.catalog` and `data.tfds_dir`, by dotted key or nested dict.

    Returns:
      The folder of the new version, or of the old one if nothing has changed; and how many items have changed.

    Raises:
      InputError: the folder is not an export, or one of an earlier mmrec; the catalog or the histories cannot be used,
        too many items would be delisted, or a new item has nothing that the model reads. No version was written.
    """
    manifest = read_manifest(Path(export_dir))
    path = Path(export_dir).resolve()
    if not path.name.isdecimal():
        raise InputError(f"{path}: must be a version folder, saved_models/<name>/<version>, to have a next version.")
    config, columns = refreshed_config(manifest, catalog, overrides)
    find_signatures(config.export.signatures)  # before anything is embedded
    _say([f"column `{column}` is read as `{name}`" for column, name in columns.renamed.items()])
    as_written = not manifest.get(schema.PLAIN_CATEGORIES)
    current = columns.named(read_catalog(config, as_written))
    verify_files(path, manifest["sha256"])
    items, exported = load_export(path, manifest)
    current = current.spelt_as(items[schema.ID])
    limit = DelistingLimit(config.data.catalog.path, items[schema.ID], max_delisted, histories)
    limit.require(current.item_ids)
    fields = item_fields(config, columns.names)
    model, raw = restore_model(exported, path), RawItems(current, fields, schema.FILE_DIGESTS in manifest)
    contents = read_contents(raw, current, config, model, items)
    limit.require(current.item_ids[contents.order], "are not in it or have nothing that the model reads")
    _say([f"{count:,} {reason.replace('_', ' ')}" for reason, count in contents.left_out.items()])
    _say([f"{count:,} {change}" for change, count in contents.changes.items()])

    payload = current.payload.iloc[contents.order].reset_index(drop=True).assign(digest=contents.digests)
    filters = [*current.filters]
    as_before = filters == manifest["filters"]
    if as_before and _parquet(payload).equals(pq.read_table(path / schema.ITEMS)):
        _say([f"nothing has changed since {path}: no version is written"])
        return RefreshResult(path, contents.changes)
    held = held_items(exported, len(items) + 1).refreshed(contents.source, contents.fresh)
    parts = _parts(config, current, contents, held, model, manifest["index"])
    described = _manifest(manifest, config, contents, held, parts, int(path.name))
    if columns.renamed:
        described["columns"] = dict(columns.names)
    told = json.dumps([manifest["sha256"], filters], sort_keys=True)
    described["run"] = digest("refresh", __version__, told, payload.to_parquet(index=False)).hex()
    samples = refresh_samples(raw, config, contents, held, parts)
    delisted = sorted({*items[schema.ID], *read_delisted(path)}.difference(payload[schema.ID]))
    interface = stated_interface(config, raw.fields, current.filters, manifest["notes"], columns.names[schema.ID])
    written = write_version(path.parent, parts, payload, interface, described, samples, key=None, delisted=delisted)
    _say([f"exported {written}"])
    return RefreshResult(written, contents.changes)


def _parquet(payload: pd.DataFrame) -> Any:
    """Returns a payload as it would be read back from its file."""
    return pq.read_table(io.BytesIO(payload.to_parquet(index=False)))


def _parts(
    config: Config, current: Catalog, contents: Contents, held: HeldItems, model: TrainedModel, index: Mapping
) -> Parts:
    return Parts(
        ids=np.array(["", *current.item_ids[contents.order]], object),
        table=held.table(),
        model=model,
        max_length=config.query.max_length,
        default_k=config.export.k,
        exclude_history=config.leaves_out_history,
        filters={name: values[contents.order] for name, values in current.filters.items()},
        index=held.index(index.get("share"), index.get("depth", 10)),  # earlier exports have no depth
        signatures=config.export.signatures,
    )


def _manifest(
    manifest: Mapping, config: Config, contents: Contents, held: HeldItems, parts: Parts, version: int
) -> dict[str, Any]:
    """Carries the manifest over; results measured in training name the version that they belong to."""
    trained = manifest.get("metrics_of_version", version)
    index = {**manifest["index"], "bytes": parts.index.nbytes}
    if held.cells is not None:
        index |= {"cells": len(held.cells.rows), "probes": parts.index.probes}
    if "recall@10" in index:
        index["recall_of_version"] = trained
    return {
        **{name: value for name, value in manifest.items() if name not in _OF_A_VERSION},
        "config": config.model_dump(mode="json"),
        "index": index,
        "metrics_of_version": trained,
        "refresh": {"from_version": version, **contents.changes},
    }


def _say(parts: list[str]) -> None:
    if parts:
        print(", ".join(parts), file=sys.stderr, flush=True)
