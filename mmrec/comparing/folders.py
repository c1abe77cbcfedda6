"""Tells run folders from exports."""

from __future__ import annotations

from pathlib import Path

from mmrec import schema
from mmrec.errors import InputError


def is_export(path: Path) -> bool:
    """Returns whether a folder is an export.

    Raises:
      InputError: it is neither an export nor a run.
    """
    if (path / schema.MANIFEST).is_file():
        return True
    if (path / "config.yaml").is_file() and (path / "checkpoints").is_dir():
        return False
    raise InputError(
        f"{path}: is neither a run folder nor an export. Give runs/<name>/<number>, or saved_models/<name>/<version>."
    )
