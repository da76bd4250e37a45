"""Where the cache is, and records that are not what they seem."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from stylegan2_ops import _cache
from stylegan2_ops._cache import Record

RECORD = Record("cpu", "x.so", "0" * 64, "1" * 64, "2.11.0", "g++ 12")


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEGAN2_OPS_CACHE", "/fast/ops")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert _cache.folder() == Path("/fast/ops")
    monkeypatch.setenv("STYLEGAN2_OPS_CACHE", "")
    assert _cache.folder() == Path("/caches/stylegan2_ops")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    assert _cache.folder() == Path("/home/me/.cache/stylegan2_ops")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record("cuda", "x.so", "0", "1", "2.11.0", "nvcc", "13.0", ("8.0", "9.0+PTX"))
    path = tmp_path / "a.json"
    path.write_text(json.dumps(asdict(record)))
    assert _cache.read_record(path) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({**asdict(RECORD), "more": 1}),
        json.dumps({**asdict(RECORD), "library": "../evil.so"}),
        json.dumps({**asdict(RECORD), "library": 5}),
        json.dumps({**asdict(RECORD), "architectures": None}),
    ],
)
def test_what_is_not_a_record_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError):
        _cache.read_record(path)
    assert not _cache.is_whole(path)


def test_publishing_again_keeps_the_library_just_replaced_and_no_older(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    work = tmp_path / "work"
    work.mkdir()
    for number in range(3):
        built = work / "built.so"
        built.write_bytes(b"%d" % number)
        record = Record("cpu", f"a-{number}.so", _cache.file_sha256(built), "", "", "")
        assert _cache.publish(built, record, target) == tmp_path / f"a-{number}.so"
        assert _cache.is_whole(target)
    assert sorted(path.name for path in tmp_path.glob("*.so")) == ["a-1.so", "a-2.so"]
