"""Checks that a folder is an export, complete and unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from mmrec import schema
from mmrec.errors import InputError
from mmrec.serving.earlier import completed

_REMEDY = "Copy the version again, or export anew"
_LOADED = ("saved_model.", "variables/", "assets/", "assets.extra/")  # what TensorFlow and its server read


def read_manifest(path: Path) -> dict:
    """Reads the manifest of a version folder; one of an earlier mmrec is completed to what `mmrec.manifest` describes.

    Args:
      path: the version folder.

    Returns:
      The manifest's entries by name.

    Raises:
      InputError: the folder is no export, or of a newer format; or it is an earlier one whose graph cannot be read.
    """
    try:
        manifest = json.loads((path / schema.MANIFEST).read_text(encoding="utf-8"))
        newest, writer = manifest["format_version"], manifest["versions"]["mmrec"]
        if not isinstance(newest, int) or not isinstance(manifest["config"], dict):
            raise TypeError("its manifest is none")
        _ = manifest["sha256"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is not an export of mmrec ({_reason(error)}). {_version_near(path)}") from None
    if newest > schema.FORMAT_VERSION:
        raise InputError(
            f"{path}: has format version {newest}; this mmrec reads up to {schema.FORMAT_VERSION}. "
            f"Install mmrec {writer} or newer."
        )
    try:
        return completed(manifest, path)
    except Exception as error:  # a config of another kind, or a broken graph: TensorFlow's errors share no class
        raise unloadable(path, manifest["sha256"], error) from None


def _reason(error: Exception) -> str:
    return f"it holds no {schema.MANIFEST}" if isinstance(error, FileNotFoundError | NotADirectoryError) else str(error)


def _version_near(path: Path) -> str:
    """Returns the remedy for a folder that is no version: names one inside it, or else one beside it."""
    folders = () if (path / schema.MANIFEST).exists() else (path, path.parent)
    for folder in (folder for folder in folders if folder.is_dir()):
        manifests = folder.glob(f"*/{schema.MANIFEST}")
        versions = sorted(int(name) for name in (file.parents[1].name for file in manifests) if name.isdecimal())
        if versions:
            held = f"version{'s' * (len(versions) > 1)} {', '.join(map(str, versions))}"
            return f"{'This folder' if folder == path else folder} holds {held}: give {folder / str(versions[-1])}."
    return "Give the version folder, saved_models/<name>/<version>."


def read_delisted(path: Path) -> list[str]:
    """Returns the ids of the items that earlier versions had and this one no longer has."""
    file = path / schema.DELISTED
    return pd.read_parquet(file)[schema.ID].tolist() if file.exists() else []


def verify_files(path: Path, checksums: Mapping[str, str]) -> None:
    """Checks every file of a version folder.

    Files that users added are allowed, except where TensorFlow Serving would read them.

    Args:
      path: the version folder.
      checksums: SHA-256 (hexadecimal) by relative path, as in the manifest.

    Raises:
      InputError: a file is missing, has changed, or was added where TensorFlow Serving reads; the message names it.
    """
    for name, expected, received in _changed(path, checksums):
        if isinstance(received, OSError):
            raise InputError(f"{path}: is not a whole export ({name}: {received.strerror}). {_REMEDY}.")
        raise InputError(
            f"{path / name}: is not as it was exported: its sha256 must be {expected}. Received: {received}. "
            f"{_REMEDY}, or load it as it is with `verify=False`."
        )
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name.startswith(_LOADED) and name not in checksums and not file.is_dir():
            raise InputError(
                f"{file}: was not exported, and TensorFlow might read it. Remove it, or load the version "
                "as it is with `verify=False`."
            )


def unloadable(path: Path, checksums: Mapping[str, str], error: Exception) -> InputError:
    """Returns the error for a version folder that cannot be loaded; it names a file that is missing or has changed.

    Args:
      path: the version folder.
      checksums: SHA-256 (hexadecimal) by relative path, as in the manifest.
      error: what loading the folder raised.
    """
    said = " ".join(str(error).split())[:200] or type(error).__name__
    for name, _, received in _changed(path, checksums):
        if isinstance(received, OSError):
            return InputError(f"{path}: is not a whole export ({name}: {received.strerror}). {_REMEDY}.")
        return InputError(f"{path / name}: is not as it was exported, and cannot be loaded ({said}). {_REMEDY}.")
    return InputError(f"{path}: cannot be loaded ({said}). {_REMEDY}.")


def _changed(path: Path, checksums: Mapping[str, str]) -> Iterator[tuple[str, str, str | OSError]]:
    """Yields the files that have changed: name, SHA-256 in the manifest, and the file's own or why it has none."""
    for name, expected in checksums.items():
        try:
            with open(path / name, "rb") as file:
                received = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            received = error
        if received != expected:
            yield name, expected, received
