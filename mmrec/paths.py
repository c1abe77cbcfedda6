"""Makes folders usable whose names TensorFlow would read as a pattern."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmrec.errors import InputError

_PATTERN = frozenset("[*?\\")


@contextmanager
def literal_folder(folder: Path) -> Iterator[Path]:
    """Yields a path to a folder without `[`, `*`, `?` and backslashes: the folder's own, or that of a link to it.

    TensorFlow finds the files of checkpoints and SavedModels by pattern, whatever the folder is called. It would miss
    the files, or delete those of another folder.

    Args:
      folder: an existing folder.

    Raises:
      InputError: there is no temporary folder in which the link can be made.
    """
    if not _PATTERN & set(str(folder)):
        yield folder
        return
    try:
        place = tempfile.gettempdir()
    except OSError:
        place = None
    if place is None or _PATTERN & set(place):
        raise InputError(
            f"{folder}: TensorFlow takes the `[`, `*`, `?` or backslash in this name for a pattern, and there is no "
            f"temporary folder without one for a link to it. Received: {place}. Rename the folder, or set the "
            "environment variable TMPDIR to another place."
        )
    with tempfile.TemporaryDirectory(prefix="mmrec-") as beside:
        link = Path(beside, "folder")
        link.symlink_to(folder.absolute(), target_is_directory=True)
        yield link
