"""Progress on stderr."""

from __future__ import annotations

import sys


def progress(what: str, done: int, total: int) -> None:
    """Says how many of `what` are computed: on one line of a terminal as it goes, elsewhere once at the end."""
    if sys.stderr.isatty() or done == total:
        end = "\n" if done == total else ""
        print(f"\r{what}: {done:,} of {total:,} computed", end=end, file=sys.stderr, flush=True)
