"""What a pass of a model frees on a CPU stays with the process for the next one, with the allocator of glibc.

By itself glibc gives memory that is free at the end of its heap back to the system, unless something small lies behind
it, and the next pass has to be given the same pages again, cleared.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

# Numbers of malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_IN_HEAP = 32 << 20
"""Bytes up to which a tensor has its place in the heap: the most that glibc takes, and where it comes to by itself."""
_NEVER = -1
_SAID = {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"}


@contextmanager
def kept_heap() -> Generator[None]:
    """Keep what is freed for a while; nothing changes under allocators other than that of glibc, and where the
    environment says how it is to be."""
    libc = None if _SAID & os.environ.keys() else _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_MMAP_THRESHOLD, _LARGEST_IN_HEAP)
    libc.mallopt(_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        # Twice the other threshold, as glibc has it by itself.
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST_IN_HEAP)
        libc.malloc_trim(0)


def _glibc() -> Any:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "gnu_get_libc_version") else None
