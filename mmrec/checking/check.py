"""Checks a config and its files as a training would read them; trains and writes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mmrec.checking.agreement import photo_text_agreement
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
from mmrec.modalities.catalog import in_order
from mmrec.modalities.checks import Audit
from mmrec.modalities.names import IMAGE, modality_classes
from mmrec.process import refuse_fork

_ORDER = ("error", "warning", "note")


@dataclass(frozen=True)
class CheckReport:
    """The result of a check.

    Attributes:
      facts: what training would see, by topic, as plain values for JSON. Inputs that cannot be used have none.
      findings: what needs attention, the worst first; training would stop at those with severity `error`.
      lines: pairs of a label and a text that describe the content of the items; the facts hold the same as numbers.
    """

    facts: dict
    findings: tuple[Finding, ...]
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def errors(self) -> tuple[str, ...]:
        """The reasons why training could not start, one message each; empty when it could."""
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
    **overrides: Any,
) -> CheckReport:
    """Reads everything that a training would read, with the same functions, and reports what it finds.

    Nothing is written: no run, no export, no cached features. (Missing `tfds:` data sets and `imagenet` weights are
    downloaded, as in training.)

    Args:
      config: as for `train`.
      deep: open every photo and recording and read every text; otherwise up to 32 photos, as many recordings, and the
        texts of up to 2,000 items.
      export_dir: an export, only with `deep`; its model finds the items whose photo and texts disagree.
      probe: run a few training steps and read a few photos, to estimate time, memory and disk space.
      **overrides: config values, as for `train`.

    Returns:
      The facts and findings; `errors` of the report lists every reason why training could not start.

    Raises:
      InputError: the config cannot be used, or `export_dir` was set without `deep`.
    """
    if export_dir is not None and not deep:
        raise InputError("`export_dir` needs `deep`: photos and texts are compared item by item. Set `deep` too.")
    with config_with_frames(config, overrides) as loaded:
        return _check(loaded, deep, export_dir, probe)


def _check(config: Config, deep: bool, export_dir: str | os.PathLike[str] | None, probe: bool) -> CheckReport:
    refuse_fork()
    inputs = read_inputs(config)
    facts: dict[str, Any] = {"name": config.name, "modalities": list(config.item.modalities)}
    findings: list[Finding] = []
    lines: list[tuple[str, str]] = []
    audits: dict[str, Audit] = {}
    tables = {"catalog": inputs.catalog, "interactions": inputs.events}
    usable = {name: table for name, table in tables.items() if table is not None}
    facts["skipped"] = {name: dict(table.counts) for name, table in usable.items()}
    masked = {reason for one in inputs.contents for reason in one.counts}
    findings += skip_findings({name: len(table) for name, table in usable.items()}, facts["skipped"], masked)
    if inputs.events is not None:
        facts |= event_facts(inputs.events)
        findings += time_findings(inputs.events)
    if inputs.catalog is not None:
        facts |= catalog_facts(config, inputs.catalog)
        called = {name: one.checks.called for name, one in modality_classes(config).items()}
        findings += coverage_findings(facts, called)
        audits = _audits(config, inputs, deep)
        for audit in audits.values():
            note = _of_sample(audit, facts)
            findings += [replace(one, text=f"{one.text} {note}".rstrip()) for one in audit.findings]
            lines += _lines(audit)
        if export_dir is not None:
            unreadable = audits[IMAGE].unreadable if IMAGE in audits else ()
            facts["agreement"], disagreeing = photo_text_agreement(export_dir, inputs.catalog, unreadable)
            findings += disagreeing
    if inputs.tables is not None:
        written, config = config, resolve(config, inputs.tables)
        facts["decided"] = decided(written, config)
        facts |= split_facts(config, inputs.tables)
        findings += split_findings(config, inputs.tables, facts)
        few = {name: audit.usable for name, audit in audits.items() if audit.usable is not None}
        if probe and not inputs.errors and all(map(len, few.values())):
            cost = inputs.attempt("unusable_model", measure, config, inputs.tables, few)
            facts |= {"cost": cost} if cost else {}
        queries, steps = _per_epoch(config, inputs.tables)
        facts["training"] = {"queries": queries, "steps_per_epoch": steps}
        findings += setting_findings(config, steps)
    findings = [replace(one, text=called_by_key(config, one.text)) for one in (*inputs.findings(), *findings)]
    findings.sort(key=lambda one: _ORDER.index(one.severity))
    return CheckReport(facts, tuple(findings), tuple(lines))


def _audits(config: Config, inputs: Inputs, deep: bool) -> dict[str, Audit]:
    """Reads the content of the catalog, all of it or a sample; returns the audits by modality."""
    users, audits = () if inputs.events is None else inputs.events.user_ids, {}
    for one in in_order(modality_classes(config).values()):
        audit = one.checks(one, config).audit(inputs.catalog, deep, users)
        if audit is not None:
            audits[one.name] = audit
            inputs.errors |= audit.errors
    return audits


def _of_sample(audit: Audit, facts: dict) -> str:
    """Adds an audit's facts to `facts`; returns the note for its findings, "" when all items were read."""
    if audit.facts:
        facts[audit.what] = audit.facts
    some, every = len(audit.opened), len(audit.every)
    if some == every:
        return ""
    facts.setdefault("sample", {})[audit.what] = [some, every]
    return f"(In a sample of {some:,} items of {every:,}; `deep` reads all.)"


def _lines(audit: Audit) -> list[tuple[str, str]]:
    """Returns the lines of an audit; the first names the size of the sample, unless all items were read."""
    some, every = len(audit.opened), len(audit.every)
    note = "" if some == every else f"; of {some:,} items of {every:,}, --deep reads all"
    return [(label, words + note * (place == 0)) for place, (label, words) in enumerate(audit.lines)]


def _per_epoch(config: Config, tables: Tables) -> tuple[int, int]:
    """Returns the training queries and steps of an epoch; features are not needed to count them."""
    batches = examples(config, tables, JoinedFeatures({}))
    return batches.queries, batches.steps
