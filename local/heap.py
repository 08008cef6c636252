"""The memory of a process that runs for long, with many threads: what it does not need, it is to give back."""

from __future__ import annotations

import ctypes
import gc
from typing import Final

_HEAPS: Final = 2
_LARGE_BYTES: Final = 256 * 1024
_UNUSED_BYTES: Final = 1024 * 1024

# From malloc.h, of glibc.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def give_back_unused() -> None:
    """Keep less of what is free, where the C library is glibc; elsewhere, nothing is changed.

    By itself glibc gives each thread its own heap, up to eight a core, and each keeps its gaps, though Python lets
    hardly ever two threads allocate at once. And once a block of some megabytes was freed, all up to that size are
    taken from the heap from then on, where one small block above them keeps them in memory. For a process of its own,
    before it starts its threads.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _HEAPS)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _UNUSED_BYTES)


def keep_for_good() -> None:
    """Have the collector of garbage look once through all that there is now, and never again.

    It would look through hundreds of thousands of objects, of which hardly one ever becomes garbage, to find what sagas
    have left behind: nothing else happens meanwhile, and it does so the more seldom the more there is. For a process of
    its own, once it has what it runs with.
    """
    gc.collect()
    gc.freeze()
