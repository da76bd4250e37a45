from __future__ import annotations

from pathlib import Path

import pytest

from experiments.split_files import join_files, split_file
from regen.errors import StoreError


def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    path, data = tmp_path / "weights.bin", bytes(range(256)) * 10
    path.write_bytes(data)
    parts = split_file(path, 1000)
    assert [part.name for part in parts] == [f"weights.bin.part{i:02d}" for i in range(3)]
    assert [part.stat().st_size for part in parts] == [1000, 1000, 560] and not path.exists()
    assert join_files(tmp_path) == [path]
    assert path.read_bytes() == data and list(tmp_path.iterdir()) == [path]


def test_parts_that_are_missing_or_changed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    first, second, third = split_file(path, 2)
    third.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"parts: got a\.part02 missing; copy the parts again"):
        join_files(tmp_path)
    (tmp_path / "elsewhere").rename(third)
    second.write_bytes(b"xx")
    with pytest.raises(StoreError, match="parts: got other bytes than were split"):
        join_files(tmp_path)
    assert first.exists() and not path.exists()
