"""Makes the C library keep the large blocks of memory that a training step frees."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of mallopt, see malloc.h
_NEVER = 2**31 - 1  # bytes


def keep_freed_memory() -> bool:
    """Makes this process keep freed memory for its next allocations; the system gets it back when the process ends.

    Every training step allocates and frees the same arrays of many megabytes. By default glibc asks the system for them
    each time, and the system has to find and clear every page.

    Returns:
      Whether the C library has this setting.

    Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _NEVER))
