"""Reads what a training reads, part by part, so that one fault does not hide the others."""

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
    """What could be read, and why the rest could not.

    Attributes:
      catalog: the items; None: unusable.
      events: the interactions; None: unusable.
      tables: all tables and their split; None: some part is unusable.
      errors: by message, the code of its finding.
    """

    catalog: Catalog | None = None
    events: Interactions | None = None
    tables: Tables | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def contents(self) -> list[Content]:
        """What the items show and say; nothing where the catalog is unusable."""
        return [] if self.catalog is None else [*self.catalog.content.values()]

    def attempt(self, code: str, part: Callable[..., Any], *arguments: Any) -> Any:
        """Returns what a function returns; None where it raises `InputError`, whose messages are kept."""
        try:
            return part(*arguments)
        except InputError as error:
            self.errors |= dict.fromkeys(error.messages, code)
            return None

    def findings(self) -> list[Finding]:
        """Returns the errors as findings; a message holds its remedy."""
        return [Finding("error", code, message, "") for message, code in self.errors.items()]


def read_inputs(config: Config) -> Inputs:
    """Reads the tables, and looks whether the other inputs can be used and the outputs written."""
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
    """Reads each table on its own; ids that another one should give are taken from wherever they can be read."""
    data, events, tfds_dir = config.data, config.data.interactions, config.data.tfds_dir
    inputs.catalog = inputs.attempt("unusable_catalog", read_catalog, config)
    if inputs.catalog is not None:
        ids = inputs.catalog.item_ids
    else:
        ids = _ids(data.catalog.path, data.catalog.item_id, tfds_dir)
        if not len(ids):  # then no event is of an unknown item
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
    """Returns the distinct ids of a table, none where they cannot be read; its own reader says why."""
    try:
        ids = flat_strings(read_table(path, [column], key="path", tfds_dir=tfds_dir), column, path)
    except InputError:
        return np.array([], object)
    return np.unique(ids[ids != ""])


def _checks(config: Config) -> list[Checks]:
    """Returns the checks of the modalities in use; none where one of them cannot be found."""
    try:
        return [one.checks(one, config) for one in modality_classes(config).values()]
    except InputError:  # said already
        return []


def _written(config: Config) -> list[tuple[Path, str]]:
    """Returns the folders that a training writes, with their keys."""
    outputs = [(Path(getattr(config, key)) / config.name, key) for key in ("runs_dir", "saved_models_dir")]
    caches = any(checks.caches() for checks in _checks(config))
    return [*outputs, *([(Path(config.data.cache_dir), "data.cache_dir")] if caches else [])]


def _require_writable(path: Path, key: str) -> None:
    """Raises InputError when the folder could not be made or written; makes nothing."""
    path = path.absolute()
    existing = next(
        folder for folder in (path, *path.parents) if os.path.exists(folder)
    )  # unlike Path.exists, never an error
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written. Set `{key}` to a folder you may write to.")
