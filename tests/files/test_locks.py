"""`regen.files.locks`: locks on open files, and file systems that have none."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from regen.files.locks import Lock, try_lock


@pytest.fixture
def opened(tmp_path: Path) -> tuple[int, int]:
    """The same file, opened twice."""
    (tmp_path / "a").touch()
    one, other = os.open(tmp_path / "a", os.O_RDWR), os.open(tmp_path / "a", os.O_RDWR)
    return one, other


def test_a_file_is_locked_once_until_it_is_closed(opened: tuple[int, int]) -> None:
    one, other = opened
    assert try_lock(one) is Lock.TAKEN
    assert try_lock(other) is Lock.HELD
    os.close(one)
    assert try_lock(other) is Lock.TAKEN
    os.close(other)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks(
    opened: tuple[int, int], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert try_lock(opened[0]) is Lock.UNKNOWN


def test_a_system_without_locks(opened: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert try_lock(opened[0]) is Lock.UNKNOWN
