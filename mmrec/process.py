"""Prepares the process: a quiet TensorFlow, Keras 2 for training, and a refusal to work after a fork."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEGACY_KERAS, LOG_LEVEL = "TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL"  # environment variables of TensorFlow
_NOTE = re.compile(rb"[IWE]\d{4} |WARNING: All log messages before absl::|To enable the following instructions: ")

_user: int | None = None  # the process that first ran TensorFlow for mmrec, as far as this one and its parents know


def start_tensorflow() -> None:
    """Imports TensorFlow, unless it is imported, without its notes on the machine.

    `TF_CPP_MIN_LOG_LEVEL` becomes 3 unless the user has set it: what matters comes as an exception.
    """
    if "tensorflow" in sys.modules:
        return
    if os.environ.setdefault(LOG_LEVEL, "3") == "3":
        with _without_notes():
            import tensorflow
    else:
        import tensorflow  # noqa: F401


def use_keras_2() -> None:
    """Has TensorFlow run Keras 2, as TensorFlow Recommenders needs it; imports TensorFlow, unless it is imported.

    `TF_USE_LEGACY_KERAS` becomes 1. TensorFlow reads it when `tf.keras` is first used, and keeps to what it read.

    Raises:
      ImportError: TensorFlow runs Keras 3 already.
    """
    before = os.environ.get(LEGACY_KERAS)
    os.environ[LEGACY_KERAS] = "1"
    start_tensorflow()
    import tensorflow as tf

    if hasattr(tf.keras, "version"):  # a function that Keras 3 has
        os.environ.pop(LEGACY_KERAS)
        if before is not None:
            os.environ[LEGACY_KERAS] = before
        raise ImportError(
            "mmrec trains with TensorFlow Recommenders, which needs Keras 2, and TensorFlow runs Keras 3 in this "
            "process. Set the environment variable TF_USE_LEGACY_KERAS=1 before `tf.keras` is first used, or train in "
            "another process. To load and ask an export, either Keras will do."
        )


def refuse_fork() -> None:
    """Refuses to run TensorFlow in a forked child of a process that has; call it before what runs TensorFlow.

    The threads of TensorFlow stay in the parent, and the child would wait for them for ever.

    Raises:
      RuntimeError: this is such a child.
    """
    global _user
    if _user is None:
        _user = os.getpid()
    if _user != os.getpid():
        raise RuntimeError(
            "mmrec ran TensorFlow before this process was forked, and TensorFlow does not work in a forked child. Load "
            "the export in each worker and not in their parent (gunicorn: without --preload, or in `post_fork`), or "
            'start the workers with `multiprocessing.get_context("spawn")`.'
        )


def usable_cores() -> int:
    """Returns how many processor cores this process may run on; macOS does not say: there it is all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _without_notes() -> Iterator[None]:
    """Holds back what is written to descriptor 2, and then writes all of it but TensorFlow's notes.

    While TensorFlow is imported, its log level does not count yet.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        held, kept = tempfile.TemporaryFile(), os.dup(2)  # noqa: SIM115
    except OSError:  # there is no temporary folder, or the descriptor is closed: then the notes are no matter
        yield
        return
    try:
        os.dup2(held.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        with held:
            held.seek(0)
            os.write(2, b"".join(line for line in held if not _NOTE.match(line)))
