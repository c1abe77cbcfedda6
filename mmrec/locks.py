"""Locks of files between processes: the one place that asks the system for them (Linux and macOS)."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmrec.errors import InputError


@contextmanager
def locked(path: Path, in_use: str | None = None) -> Iterator[None]:
    """Holds the lock of a file, which falls with its process, however that ends.

    Args:
      path: the file; made when absent. It stays.
      in_use: what is said where another process holds the lock; None: wait until it does no longer.

    Raises:
      InputError: another process holds the lock, and `in_use` says so.
    """
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if in_use is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(in_use or "") from None
        yield
