"""Prints progress to stderr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LINES = 30  # seconds between lines of `watching` where stderr is no terminal


def say(text: str) -> None:
    """Prints a line."""
    print(text, file=sys.stderr, flush=True)


def progress(what: str, done: int, total: int) -> None:
    """Prints how many of `what` are computed: on a terminal one line that is updated, elsewhere once at the end."""
    if sys.stderr.isatty() or done == total:
        end = "\n" if done == total else ""
        print(f"\r{what}: {done:,} of {total:,} computed", end=end, file=sys.stderr, flush=True)


@contextmanager
def watching(what: str, total: int, done: Callable[[], int], how: str) -> Iterator[None]:
    """Prints how many of `what` are done, from time to time and at the end; other processes may do the work.

    Args:
      what: what is counted, such as "rows".
      total: their number.
      done: returns how many are done.
      how: what is done with them, such as "scored".
    """
    ended, terminal = threading.Event(), sys.stderr.isatty()
    begin = "\r" if terminal else ""

    def count(end: str) -> None:
        print(f"{begin}{what}: {done():,} of {total:,} {how}", end=end, file=sys.stderr, flush=True)

    def watch() -> None:
        while not ended.wait(1 if terminal else _LINES):
            count("" if terminal else "\n")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        count("\n")
