"""Whether a folder is an export, whole and unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mmrec import schema
from mmrec.errors import InputError

_REMEDY = "Copy the version again, or export anew"
_LOADED = ("saved_model.", "variables/", "assets/", "assets.extra/")  # what TensorFlow and its server read


def read_manifest(path: Path) -> dict:
    """Reads the manifest of a version folder.

    Raises:
      InputError: the folder is no export, or of a newer format.
    """
    try:
        manifest = json.loads((path / schema.MANIFEST).read_text(encoding="utf-8"))
        newest, writer = manifest["format_version"], manifest["versions"]["mmrec"]
        if not isinstance(newest, int) or not isinstance(manifest["config"], dict):
            raise TypeError("its manifest is none")
        _ = manifest["sha256"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is not an export of mmrec ({error}). Give the version folder, saved_models/<name>/<version>."
        ) from None
    if newest > schema.FORMAT_VERSION:
        raise InputError(
            f"{path}: has format version {newest}; this mmrec reads up to {schema.FORMAT_VERSION}. "
            f"Install mmrec {writer} or newer."
        )
    return manifest


def read_delisted(path: Path) -> list[str]:
    """Returns the ids of the items that a version has no longer, and those before it had."""
    file = path / schema.DELISTED
    return pd.read_parquet(file)["item_id"].tolist() if file.exists() else []


def verify_files(path: Path, checksums: Mapping[str, str]) -> None:
    """Checks every file of a version folder.

    Files of the user's own are let be, unless they stand where TensorFlow Serving would read them.

    Args:
      path: the version folder.
      checksums: SHA-256 (hexadecimal) by relative path, as in the manifest.

    Raises:
      InputError: naming a file that is missing, has other content than when it was written, or came in later.
    """
    for name, expected in checksums.items():
        try:
            with open(path / name, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{path}: is not a whole export ({name}: {error.strerror}). {_REMEDY}.") from None
        if found != expected:
            raise InputError(
                f"{path / name}: is not as it was exported: its sha256 must be {expected}. Received: {found}. "
                f"{_REMEDY}, or load it as it is with `verify=False`."
            )
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name.startswith(_LOADED) and name not in checksums and not file.is_dir():
            raise InputError(
                f"{file}: was not exported, and TensorFlow might read it. Remove it, or load the version "
                "as it is with `verify=False`."
            )
