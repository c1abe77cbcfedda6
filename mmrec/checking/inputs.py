"""Reads the inputs of a training one by one, so that one fault does not hide the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.content import Content
from mmrec.data.findings import Finding
from mmrec.data.interactions import Interactions, load_interactions
from mmrec.data.shop_tables import Tables
from mmrec.data.tables import flat_strings, read_table
from mmrec.data.users import load_users
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError
from mmrec.jobs.build import check_classes
from mmrec.jobs.tables import load_tables, split_events
from mmrec.modalities.catalog import read_catalog
from mmrec.modalities.checks import Checks
from mmrec.modalities.names import modality_classes


@dataclass
class Inputs:
    """The inputs that could be read, and why the others could not.

    Attributes:
      catalog: the items; None when they cannot be used.
      events: the interactions; None when they cannot be used.
      tables: all tables and their split; None when one of them cannot be used.
      errors: the code of the finding, by error message.
    """

    catalog: Catalog | None = None
    events: Interactions | None = None
    tables: Tables | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def contents(self) -> list[Content]:
        """The content of the items, by modality; empty when the catalog cannot be used."""
        return [] if self.catalog is None else [*self.catalog.content.values()]

    def attempt(self, code: str, part: Callable[..., Any], *arguments: Any) -> Any:
        """Calls `part` and returns its result; on an `InputError` keeps its messages under `code` and returns None."""
        try:
            return part(*arguments)
        except InputError as error:
            self.errors |= dict.fromkeys(error.messages, code)
            return None

    def findings(self) -> list[Finding]:
        """Returns the errors as findings without a remedy of their own: each message already names it."""
        return [Finding("error", code, message, "") for message, code in self.errors.items()]


def read_inputs(config: Config) -> Inputs:
    """Reads the tables, and checks that classes and weights can be loaded and output folders written.

    Faults are kept in `errors` of the result; nothing is raised for them.
    """
    inputs = Inputs()
    inputs.attempt("unusable_setting", check_classes, config)
    inputs.tables = inputs.attempt("unusable_tables", load_tables, config)
    if inputs.tables is not None:
        inputs.catalog, inputs.events = inputs.tables.catalog, inputs.tables.events
    else:
        _read_tables(config, inputs)
    for checks in _checks(config):
        inputs.attempt("unusable_weights", checks.require_files)
    for folder, key in _written(config):
        inputs.attempt("unwritable_folder", _require_writable, folder, key)
    return inputs


def _read_tables(config: Config, inputs: Inputs) -> None:
    """Reads each table on its own; ids of an unusable table are still read where possible, to check the others."""
    data, events, tfds_dir = config.data, config.data.interactions, config.data.tfds_dir
    inputs.catalog = inputs.attempt("unusable_catalog", read_catalog, config)
    if inputs.catalog is not None:
        ids = inputs.catalog.item_ids
    else:
        ids = _ids(data.catalog.path, data.catalog.item_id, tfds_dir)
        if not len(ids):  # every item of the events counts as known, so that none is reported
            ids = _ids(events.path, events.item_id, tfds_dir) if events else ids
    if events is None:
        return
    inputs.events = inputs.attempt("unusable_interactions", load_interactions, events, Vocabulary(ids), tfds_dir)
    if inputs.events is not None:
        inputs.attempt("unusable_split", split_events, config, inputs.events)
    if data.users:
        users = _ids(data.users.path, data.users.user_id, tfds_dir) if inputs.events is None else inputs.events.user_ids
        inputs.attempt("unusable_users", load_users, data.users, users, np.ones(len(users), bool), tfds_dir)


def _ids(path: str, column: str, tfds_dir: str | None) -> np.ndarray:
    """Returns the distinct ids of a table; none when they cannot be read, which the table's own reader reports."""
    try:
        ids = flat_strings(read_table(path, [column], key="path", tfds_dir=tfds_dir), column, path)
    except InputError:
        return np.array([], object)
    return np.unique(ids[ids != ""])


def _checks(config: Config) -> list[Checks]:
    """Returns the checks of the modalities in use; none when one of their classes cannot be imported."""
    try:
        return [one.checks(one, config) for one in modality_classes(config).values()]
    except InputError:  # reported by check_classes
        return []


def _written(config: Config) -> list[tuple[Path, str]]:
    """Returns the folders that a training writes to, with their config keys."""
    outputs = [(Path(getattr(config, key)) / config.name, key) for key in ("runs_dir", "saved_models_dir")]
    caches = any(checks.caches() for checks in _checks(config))
    return [*outputs, *([(Path(config.data.cache_dir), "data.cache_dir")] if caches else [])]


def _require_writable(path: Path, key: str) -> None:
    """Raises InputError when the folder cannot be created or written to; creates nothing."""
    path = path.absolute()
    existing = next(folder for folder in (path, *path.parents) if os.path.exists(folder))  # Path.exists can raise
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written. Set `{key}` to a folder you may write to.")
