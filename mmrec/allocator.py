"""Tells the C library to keep the large blocks of memory that training steps free."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # parameters of mallopt, see malloc.h
_NEVER = 2**31 - 1  # bytes


def keep_freed_memory() -> bool:
    """Lets this process keep what it frees, for what it allocates next; it gives nothing back until it ends.

    A step allocates and frees the same arrays of many megabytes as the one before it. By default glibc takes them from
    the system each time, which has to find and clear every page of them.

    Returns:
      Whether the C library has such a setting.

    Source: mallopt(3).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _NEVER))
