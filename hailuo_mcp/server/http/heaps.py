"""How the C library keeps memory for the threads of this process."""

from __future__ import annotations

import os
import sys

HEAPS = 2
LARGE = 1 << 20
"""Bytes: what is larger goes back to the system as soon as it is freed."""
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def limit_heaps() -> None:
    """Let all threads share two heaps, and keep large blocks out of them.

    By itself glibc makes up to eight heaps for each core, and keeps in each what the largest clip
    took that was ever opened in it. To be called before the first thread starts; does nothing
    without glibc. Its own variables go first.
    """
    if sys.platform != "linux":
        return
    import ctypes

    wanted = (
        ("MALLOC_ARENA_MAX", _M_ARENA_MAX, HEAPS),
        ("MALLOC_MMAP_THRESHOLD_", _M_MMAP_THRESHOLD, LARGE),
    )
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library, such as musl, has no such heaps
        return
    for variable, option, value in wanted:
        if variable not in os.environ:
            mallopt(option, value)
