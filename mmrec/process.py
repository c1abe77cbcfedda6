"""Prepares the process: TensorFlow without its start-up notes, Keras 2 for training, no TensorFlow after a fork."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LEGACY_KERAS, LOG_LEVEL = "TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL"  # environment variables of TensorFlow
_NOTE = re.compile(rb"[IWE]\d{4} |WARNING: All log messages before absl::|To enable the following instructions: ")

_user: int | None = None  # id of the process that first ran TensorFlow for mmrec; forked children inherit it


def start_tensorflow() -> None:
    """Imports TensorFlow, if it is not imported yet, without the notes that it prints about the machine.

    Sets `TF_CPP_MIN_LOG_LEVEL` to 3 unless the user has set it; whatever matters is raised as an exception.
    """
    if "tensorflow" in sys.modules:
        return
    if os.environ.setdefault(LOG_LEVEL, "3") == "3":
        with _without_notes():
            import tensorflow
    else:
        import tensorflow  # noqa: F401


def use_keras_2() -> None:
    """Makes TensorFlow use Keras 2, which TensorFlow Recommenders needs; imports TensorFlow if it is not imported yet.

    Sets `TF_USE_LEGACY_KERAS` to 1. TensorFlow reads it when `tf.keras` is first used, and not again.

    Raises:
      ImportError: TensorFlow already uses Keras 3.
    """
    before = os.environ.get(LEGACY_KERAS)
    os.environ[LEGACY_KERAS] = "1"
    start_tensorflow()
    import tensorflow as tf

    if hasattr(tf.keras, "version"):  # a function that only Keras 3 has
        os.environ.pop(LEGACY_KERAS)
        if before is not None:
            os.environ[LEGACY_KERAS] = before
        raise ImportError(
            "mmrec trains with TensorFlow Recommenders, which needs Keras 2, and TensorFlow runs Keras 3 in this "
            "process. Set the environment variable TF_USE_LEGACY_KERAS=1 before `tf.keras` is first used, or train in "
            "another process. To load and ask an export, either Keras will do."
        )


def refuse_fork() -> None:
    """Refuses to run TensorFlow in a process that was forked after TensorFlow ran; call it before running TensorFlow.

    The threads of TensorFlow stay in the parent, and the child would wait for them for ever.

    Raises:
      RuntimeError: this process was forked from one in which mmrec had run TensorFlow.
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
    """Returns how many processor cores this process may use; on macOS, which does not tell, all of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _without_notes() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, then writes all of it except TensorFlow's notes.

    TensorFlow does not obey its log level yet while it is imported.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        held, kept = tempfile.TemporaryFile(), os.dup(2)  # noqa: SIM115
    except OSError:  # no temporary folder, or the descriptor is closed: let the notes through
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
