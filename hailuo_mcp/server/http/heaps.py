"""How many heaps the C library keeps for the threads of this process."""

from __future__ import annotations

import os
import sys

HEAPS = 2
_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""


def limit_heaps() -> None:
    """Let all threads share two heaps. Before the first thread starts; does nothing without glibc.

    By itself glibc makes up to eight for each core, and each keeps what the largest clip took that
    was ever opened in it. MALLOC_ARENA_MAX, its own variable, goes first.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)
    except (OSError, AttributeError):  # another C library, such as musl, has no such heaps
        return
