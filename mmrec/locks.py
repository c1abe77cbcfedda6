"""Locks files between processes (Linux and macOS)."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmrec.errors import InputError


@contextmanager
def locked(path: Path, in_use: str | None = None) -> Iterator[None]:
    """Holds the lock of a file; the system frees it when the process ends, however it ends.

    Args:
      path: the file; made when absent. It stays afterwards.
      in_use: the error message for when another process holds the lock; None: wait for the lock.

    Raises:
      InputError: another process holds the lock, and `in_use` is set.
    """
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if in_use is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(in_use or "") from None
        yield
