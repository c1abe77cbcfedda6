"""Config and raw files to what training would see, and what stands in its way; trains and writes nothing."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from mmrec.checking.agreement import photo_text_agreement
from mmrec.checking.cost import PHOTOS, spread
from mmrec.checking.cost import probe as measure
from mmrec.checking.facts import catalog_facts, event_facts, split_facts
from mmrec.checking.findings import coverage_findings, setting_findings, skip_findings, split_findings
from mmrec.checking.inputs import Inputs, read_inputs
from mmrec.checking.times import time_findings
from mmrec.config import Config
from mmrec.data.features import JoinedFeatures
from mmrec.data.findings import Finding
from mmrec.data.frames import called_by_key, config_with_frames
from mmrec.data.shop_tables import Tables
from mmrec.errors import InputError
from mmrec.jobs.prepare import examples
from mmrec.jobs.resolve import decided, resolve
from mmrec.modalities.audio.audit import audit_sounds, sound_findings
from mmrec.modalities.image.audit import audit_photos, photo_findings
from mmrec.modalities.text.audit import audit_texts, text_findings
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.process import refuse_fork

_TEXTS = 2000  # items whose texts are read unless all are
_ORDER = ("error", "warning", "note")


@dataclass(frozen=True)
class CheckReport:
    """What a check found.

    Attributes:
      facts: what training would see, by topic; plain values, ready for JSON. What cannot be used has none.
      findings: what to look at, the worst first; those that training would stop at are of the severity `error`.
    """

    facts: dict
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """Why training could not start, a message for each reason; none when it could."""
        errors = [one for one in self.findings if one.severity == "error"]
        return tuple(" ".join(filter(None, [one.text, *one.examples[:1], one.remedy])) for one in errors)

    @property
    def error(self) -> str:
        """The first of `errors`; "" when training could start."""
        return next(iter(self.errors), "")

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
      deep: open every photo and recording and read every text; otherwise up to 32 photos, as many recordings, and the
        texts of up to 2,000 items.
      export_dir: with `deep`, an export: lists the items whose photo and texts disagree as its model sees them.
      probe: measure a few training steps and photos, for an estimate of time, memory and disk.
      **overrides: config values, as for `train`.

    Returns:
      Facts and findings. `errors` says why training could not start: every reason that the inputs give.

    Raises:
      InputError: the config cannot be used, or the arguments do not fit each other.
    """
    if export_dir is not None and not deep:
        raise InputError("`--export` needs `--deep`: photos and texts are compared item by item. Add `--deep`.")
    with config_with_frames(config, overrides) as loaded:
        return _check(loaded, deep, export_dir, probe)


def _check(config: Config, deep: bool, export_dir: str | os.PathLike[str] | None, probe: bool) -> CheckReport:
    refuse_fork()
    inputs = read_inputs(config)
    facts: dict[str, Any] = {"name": config.name, "modalities": list(config.item.modalities)}
    findings, photos = [], np.zeros(0, np.int64)
    tables = {"catalog": inputs.catalog, "interactions": inputs.events}
    usable = {name: table for name, table in tables.items() if table is not None}
    facts["skipped"] = {name: dict(table.counts) for name, table in usable.items()}
    findings += skip_findings({name: len(table) for name, table in usable.items()}, facts["skipped"])
    if inputs.events is not None:
        facts |= event_facts(inputs.events)
        findings += time_findings(inputs.events)
    if inputs.catalog is not None:
        facts |= catalog_facts(config, inputs.catalog)
        findings += coverage_findings(facts)
        content, about_content, photos = _audit(config, inputs, deep, export_dir)
        facts |= content
        findings += about_content
    if inputs.tables is not None:
        written, config = config, resolve(config, inputs.tables)
        facts["decided"] = decided(written, config)
        facts |= split_facts(config, inputs.tables)
        findings += split_findings(config, inputs.tables, facts)
        if probe and not inputs.errors and (len(photos) or "image" not in config.item.modalities):
            cost = inputs.attempt("unusable_model", measure, config, inputs.tables, photos)
            facts |= {"cost": cost} if cost else {}
        queries, steps = _per_epoch(config, inputs.tables)
        facts["training"] = {"queries": queries, "steps_per_epoch": steps}
        findings += setting_findings(config, steps)
    findings = [replace(one, text=called_by_key(config, one.text)) for one in (*inputs.findings(), *findings)]
    findings.sort(key=lambda one: _ORDER.index(one.severity))
    return CheckReport(facts, tuple(findings))


def _audit(
    config: Config, inputs: Inputs, deep: bool, export_dir: str | os.PathLike | None
) -> tuple[dict, list[Finding], np.ndarray]:
    """Opens photos and recordings and reads texts, all or a sample.

    Returns:
      Facts; findings; and positions (0-based) of a few items with readable photos.
    """
    catalog, facts, findings, unreadable = inputs.catalog, {}, [], np.zeros(0, np.int64)
    everything, named = np.arange(len(catalog)), np.flatnonzero([photo is not None for photo in catalog.photos])
    if "image" in config.item.modalities and not len(named):
        text = "No item has a photo, and `item.modalities` has `image`."
        remedy = "Correct `data.catalog.image` and `image_dir`, or leave `image` out of `item.modalities`."
        findings.append(Finding("error", "no_photo", text, remedy))
    if len(named):
        opened = named if deep else spread(named, PHOTOS)
        some = catalog.take(opened)
        photos = audit_photos(some, config.item.image.size, config.item.image.max_pixels)
        facts["photos"], unreadable = photos.facts(), opened[photos.unreadable]
        about_photos = photo_findings(photos, some, config.data.catalog.on_missing_image == "error")
        findings += _of_sample("photos", about_photos, opened, named, facts)
    sounding = np.flatnonzero([sound is not None for sound in catalog.sounds])
    if len(sounding):
        opened = sounding if deep else spread(sounding, PHOTOS)
        some = catalog.take(opened)
        sounds = audit_sounds(some, config.item.audio)
        facts["recordings"] = sounds.facts()
        about_sounds = sound_findings(sounds, some, config.data.catalog.on_missing_audio == "error")
        findings += _of_sample("recordings", about_sounds, opened, sounding, facts)
    if catalog.text:
        read = everything if deep else spread(everything, _TEXTS)
        some = catalog.take(read)
        encoder = inputs.attempt("unusable_vocabulary", learn_text_encoder, config.item.text, some.text)
        if encoder is not None:
            texts = audit_texts(some, () if inputs.events is None else inputs.events.user_ids, encoder)
            facts["texts"] = texts.facts()
            findings += _of_sample("texts", text_findings(texts, some), read, everything, facts)
    if export_dir is not None:
        facts["agreement"], disagreeing = photo_text_agreement(export_dir, catalog, unreadable.tolist())
        findings += disagreeing
    return facts, findings, np.setdiff1d(spread(named, PHOTOS), unreadable)


def _of_sample(what: str, findings: list[Finding], some: np.ndarray, every: np.ndarray, facts: dict) -> list[Finding]:
    """Lets facts and findings say that they are of a sample, where they are of some items and not of all."""
    if len(some) == len(every):
        return findings
    facts.setdefault("sample", {})[what] = [len(some), len(every)]
    note = f"(In a sample of {len(some):,} items of {len(every):,}; `--deep` reads all.)"
    return [dataclasses.replace(one, text=f"{one.text} {note}") for one in findings]


def _per_epoch(config: Config, tables: Tables) -> tuple[int, int]:
    """Returns the training queries and steps of an epoch; features are not needed to count them."""
    batches = examples(config, tables, JoinedFeatures({}))
    return batches.queries, batches.steps
