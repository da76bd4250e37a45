"""Locks on open files, which end with the process that holds them, however it ends.

The system keeps them, so a process that was killed holds none, and no number of a process has to
be believed. Some file systems, and Windows, have no such locks; whoever asks learns that.
"""

from __future__ import annotations

from enum import Enum


class Lock(Enum):
    """What came of an attempt to lock a file."""

    TAKEN = "this process holds it now"
    HELD = "another process, or another part of this one, holds it"
    UNKNOWN = "there are no locks here"


def try_lock(descriptor: int) -> Lock:
    """Lock an open file until it is closed, without waiting."""
    try:
        import fcntl
    except ImportError:  # Windows
        return Lock.UNKNOWN
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.HELD
    except OSError:
        return Lock.UNKNOWN
    return Lock.TAKEN
