"""Keeping freed memory: what a fresh process does with and without it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from regen.allocator import keep_freed_memory

# Page faults of five tensors of 64 MB that are made and freed one after the other.
PROGRAM = """
import resource, sys, torch
from regen.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(3)
def fill():
    torch.empty(2**24).fill_(1.0)
for _ in range(3):
    fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True, timeout=120
    )
    if run.returncode == 3:
        pytest.skip("the allocator of this system takes no such wishes")
    assert run.returncode == 0, run.stderr
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the wish is glibc's")
def test_memory_that_was_freed_is_used_again_without_new_pages() -> None:
    pages = 5 * 2**26 // os.sysconf("SC_PAGE_SIZE")
    assert faults("keep") < pages / 10


def test_what_the_user_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    assert not keep_freed_memory()
