"""Keep the memory of freed tensors instead of returning it to the system.

glibc maps each large block anew and unmaps it when it is freed, so that a network on the CPU waits
for the system to zero fresh pages at every layer: writing a new tensor of 128 MB was measured to
take three to six times as long as writing it to memory in use. Commands that compute therefore ask
glibc to keep what is freed. Nothing changes in a process without glibc.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of mallopt(3)
_NEVER = -1
_MORE_AT_ONCE_BYTES = 64 * 2**20
_TENSOR_ALIGNMENT = 64  # torch's, in bytes
_VARIABLES = ("MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")


def keep_freed_memory() -> bool:
    """Ask the allocator to keep freed memory for the next tensor.

    Settings that the user made through glibc's own environment variables are left alone.

    Returns:
        Whether glibc accepted every setting.
    """
    if any(name in os.environ for name in _VARIABLES):
        return False
    try:
        libc = ctypes.CDLL(None)
        mallopt, aligned, free = libc.mallopt, libc.posix_memalign, libc.free
    except (OSError, AttributeError, TypeError):  # not glibc; Windows has no handle to itself
        return False
    wishes = {_MMAP_MAX: 0, _TRIM_THRESHOLD: _NEVER, _TOP_PAD: _MORE_AT_ONCE_BYTES}
    results = [mallopt(name, value) for name, value in wishes.items()]  # no short-circuit
    _fill_cache_of_small_blocks(aligned, free)
    return all(result == 1 for result in results)


def _fill_cache_of_small_blocks(aligned: Any, free: Any) -> None:
    """Make glibc join what aligned blocks leave over with its free neighbours again.

    It cuts an aligned block out of a larger one. The scraps go to a small cache, and as long as
    they lie there no block can be merged across them, so the next tensor of the same size does not
    fit into what the last one left. A full cache sends further scraps back. Where something has
    taken blocks out of it, the next few tensors refill it at the cost of new pages, once.
    """
    for step in range(64):
        block = ctypes.c_void_p()
        if aligned(ctypes.byref(block), _TENSOR_ALIGNMENT, 2**16 + 16 * (step % 16)) == 0:
            free(block)
