"""Loads the items and the SavedModel of a version folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError
from mmrec.paths import literal_folder
from mmrec.process import refuse_fork
from mmrec.serving.verify import unloadable


def load_export(path: Path, manifest: Mapping) -> tuple[pd.DataFrame, tf.Module]:
    """Loads an export.

    Args:
      path: the version folder.
      manifest: its manifest.

    Returns:
      The items, one row each, and what `tf.saved_model.load` returns.

    Raises:
      InputError: a file is missing or cannot be read.
      RuntimeError: TensorFlow cannot run in this process, see `process.refuse_fork`.
    """
    refuse_fork()
    try:
        for library in manifest["libraries"]:
            _register_operations(library)
        items = pd.read_parquet(path / schema.ITEMS)
        if not {schema.ID, "digest"} <= {*items}:
            raise ValueError(f"{schema.ITEMS} lacks a column")
        with literal_folder(path) as folder:
            if (path / "fingerprint.pb").exists():  # loading would only log a traceback where it is cut off
                tf.saved_model.experimental.read_fingerprint(str(folder))
            return items, tf.saved_model.load(str(folder))
    except (InputError, MemoryError):
        raise
    except Exception as error:  # the errors of pandas, Arrow and TensorFlow for broken files share no class
        raise unloadable(path, manifest["sha256"], error) from None


def _register_operations(library: str) -> None:
    """Registers the operations of tensorflow_text, without the import, which chooses a Keras for the whole process."""
    package = importlib.util.find_spec(library)
    if package is None:
        raise InputError(f"the export needs the package {library}. Install it: pip install {library.replace('_', '-')}")
    for file in sorted(Path(package.submodule_search_locations[0], "python", "ops").glob("_*.so")):
        tf.load_op_library(str(file))
