"""Keeping freed memory: what a fresh process does with and without it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from regen.allocator import keep_freed_memory
from tests.helpers.processes import HANGING_SECONDS

# Page faults of five tensors of 64 MB that are made and freed one after the other. Those before
# them settle the heap: each small block that something took out of glibc's cache (seven of a size,
# of the few sizes that an aligned block can leave over) can cost a tensor of new pages, once.
PROGRAM = """
import resource, sys, torch
from ctypes import CDLL, c_size_t, c_void_p
from regen.allocator import keep_freed_memory
if not keep_freed_memory():
    sys.exit(3)
malloc = CDLL(None).malloc
malloc.argtypes, malloc.restype = [c_size_t], c_void_p
for block in range(int(sys.argv[1])):  # the cache of small blocks loses some of each size
    for size in range(16, 160, 16):
        malloc(size - 8)
def fill():
    torch.empty(2**24).fill_(1.0)
for _ in range(32):
    fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(taken: int) -> int:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(taken)],
        capture_output=True,
        text=True,
        timeout=HANGING_SECONDS,
    )
    if run.returncode == 3:
        pytest.skip("the allocator of this system takes no such wishes")
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the wish is glibc's")
@pytest.mark.parametrize("taken", [0, 3, 7])
def test_memory_that_was_freed_is_used_again_without_new_pages(taken: int) -> None:
    pages = 5 * 2**26 // os.sysconf("SC_PAGE_SIZE")
    assert faults(taken) < pages / 10


def test_what_the_user_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert not keep_freed_memory()
