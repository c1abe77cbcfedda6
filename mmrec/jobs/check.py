"""Config and raw files to what training would see, and what stands in its way; trains and writes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.features import JoinedFeatures
from mmrec.data.findings import Finding, about_items
from mmrec.data.frames import config_with_frames
from mmrec.data.photo_audit import audit_photos, photo_findings
from mmrec.data.text_audit import audit_texts, text_findings
from mmrec.errors import InputError
from mmrec.jobs.build import check_classes
from mmrec.jobs.check_agreement import photo_text_agreement
from mmrec.jobs.check_cost import probe as measure
from mmrec.jobs.check_cost import sample_photos
from mmrec.jobs.check_facts import table_facts
from mmrec.jobs.check_findings import setting_findings, table_findings
from mmrec.jobs.prepare import examples
from mmrec.jobs.tables import Tables, load_tables
from mmrec.preprocess.text_vocabulary import learn_text_encoder
from mmrec.process import refuse_fork

_ORDER = ("error", "warning", "note")


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
      facts: what training would see, by topic; plain values, ready for JSON.
      findings: what to look at, the worst first.
    """

    facts: dict
    findings: tuple[Finding, ...]

    @property
    def error(self) -> str:
        """Why training could not start, in one message; "" when it could."""
        found = next((one for one in self.findings if one.severity == "error"), None)
        return "" if found is None else " ".join([found.text, *found.examples[:1], found.remedy])

    def to_dict(self) -> dict:
        """Returns `could_start`, `facts` and `findings` as plain values."""
        return {"could_start": not self.error, "facts": self.facts, "findings": [asdict(one) for one in self.findings]}


def check(
    config: Config | Mapping[str, Any] | str | Path = MappingProxyType({}),
    deep: bool = False,
    *,
    export_dir: str | os.PathLike[str] | None = None,
    probe: bool = True,
    **overrides,
) -> CheckReport:
    """Reads and judges everything that a training would read, with the functions that it would use.

    Nothing is written: no run, no export, no cached feature. (A `tfds:` data set and `imagenet` weights that are not
    here yet are fetched, as training would.)

    Args:
      config: as for `train`.
      deep: open every photo and read every text; otherwise up to 32 photos are opened.
      export_dir: with `deep`, an export: lists the items whose photo and texts disagree as its model sees them.
      probe: measure a few training steps and photos, for an estimate of time, memory and disk.
      **overrides: config values, as for `train`.

    Returns:
      Facts and findings. `error` says why training could not start, as far as that was found in the files' content.

    Raises:
      InputError: config or tables cannot be used; it is the error that training would raise.
    """
    if export_dir is not None and not deep:
        raise InputError("`--export` needs `--deep`: photos and texts are compared item by item. Add `--deep`.")
    with config_with_frames(config, overrides) as loaded:
        return _check(loaded, deep, export_dir, probe)


def _check(config: Config, deep: bool, export_dir: str | os.PathLike[str] | None, probe: bool) -> CheckReport:
    refuse_fork()
    check_classes(config)
    tables = load_tables(config)
    for key in ("runs_dir", "saved_models_dir"):
        _require_writable(Path(getattr(config, key)) / config.name, key)
    text = config.item.text
    pooled = "text" in config.item.modalities and text.encoder == "pretrained" and text.trainable == "none"
    if pooled or {"image", "audio"} & set(config.item.modalities):
        _require_writable(Path(config.data.cache_dir), "data.cache_dir")
    facts = table_facts(config, tables)
    findings = [*table_findings(config, tables, facts)]
    photos = None
    if "image" in config.item.modalities:
        photos, opened, found = _open_photos(config, tables.catalog, deep)
        facts["photos_opened"] = opened
        findings += found
    if deep:
        more, found = _audit(config, tables, export_dir)
        facts |= more
        findings += found
    can_run = photos is None or len(photos) > 0
    if probe and can_run:
        facts["cost"] = measure(config, tables, np.zeros(0, np.int64) if photos is None else photos)
    queries, steps = _per_epoch(config, tables)
    facts["training"] = {"queries": queries, "steps_per_epoch": steps}
    findings += setting_findings(config, steps, queries)
    findings.sort(key=lambda one: _ORDER.index(one.severity))
    return CheckReport(facts, tuple(findings))


def _open_photos(config: Config, catalog: Catalog, deep: bool) -> tuple[np.ndarray, dict, list[Finding]]:
    """Opens a few photos; returns the positions of the readable ones, facts, and what is wrong with the others."""
    chosen, readable = sample_photos(catalog, config.item.image.size)
    facts = {"opened": len(chosen), "unreadable": int((~readable).sum())}
    stops = config.data.catalog.on_missing_image == "error"
    if not len(chosen):
        text = "No item has a photo, and `item.modalities` has `image`."
        remedy = "Correct `data.catalog.image` and `image_dir`, or leave `image` out of `item.modalities`."
        return chosen, facts, [Finding("error", "no_photo", text, remedy)]
    if readable.all() or deep:  # the audit says more
        return chosen[readable], facts, []
    text = f"{facts['unreadable']:,} of {len(chosen):,} photos that were opened cannot be read."
    remedy = "Find all with `--deep` and replace them" + (
        ", or set `data.catalog.on_missing_image: mask`." if stops else "."
    )
    severity = "error" if stops else "warning"
    found = about_items(severity, "unreadable_photos", text, remedy, catalog, chosen[~readable].tolist())
    return chosen[readable], facts, [found]


def _audit(config: Config, tables: Tables, export_dir: str | os.PathLike | None) -> tuple[dict, list[Finding]]:
    """Opens everything; returns facts and findings."""
    catalog, unreadable = tables.catalog, []
    facts: dict = {}
    findings: list[Finding] = []
    if catalog.has_photos:
        photos = audit_photos(catalog, config.item.image.size)
        facts["photos"], unreadable = photos.facts(), photos.unreadable
        findings += photo_findings(photos, catalog, config.data.catalog.on_missing_image == "error")
    if catalog.text:
        encoder = learn_text_encoder(config.item.text, catalog.text)
        texts = audit_texts(catalog, tables.events.user_ids, encoder)
        facts["texts"] = texts.facts()
        findings += text_findings(texts, catalog)
    if export_dir is not None:
        facts["agreement"], found = photo_text_agreement(export_dir, catalog, unreadable)
        findings += found
    return facts, findings


def _per_epoch(config: Config, tables: Tables) -> tuple[int, int]:
    """Returns the training queries and steps of an epoch; features are not needed to count them."""
    batches = examples(config, tables, JoinedFeatures({}))
    return batches.queries, batches.steps


def _require_writable(path: Path, key: str) -> None:
    """Raises InputError when the folder could not be made or written; makes nothing."""
    path = path.absolute()
    existing = next(
        folder for folder in (path, *path.parents) if os.path.exists(folder)
    )  # unlike Path.exists, never an error
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written. Set `{key}` to a folder you may write to.")
