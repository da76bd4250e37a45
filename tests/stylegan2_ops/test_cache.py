"""Where the cache is, and records that are not what they seem."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from stylegan2_ops import _cache
from stylegan2_ops._cache import Record
from stylegan2_ops._toolchain import BuildError

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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STYLEGAN2_OPS_CACHE", "ops"),
        ("STYLEGAN2_OPS_CACHE", "./ops"),
        ("XDG_CACHE_HOME", "caches"),
        ("XDG_CACHE_HOME", "."),
        ("HOME", "me"),
        ("HOME", "."),
        ("HOME", ""),
    ],
)
def test_a_place_that_depends_on_the_current_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for name in ("STYLEGAN2_OPS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv(variable, value)
    if variable == "HOME" and not value:  # expanduser takes "" for the root
        assert _cache.folder().is_absolute()
        return
    with pytest.raises(BuildError, match=f"^{variable} gives .* not an absolute path; name a fol"):
        _cache.folder()


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022])
def test_what_is_made_can_be_written_to_by_nobody_else(tmp_path: Path, umask: int) -> None:
    cache = tmp_path / "caches" / "ops"
    before = os.umask(umask)
    try:
        with _cache.workplace(cache) as work:
            built = work / "built.so"
            built.write_bytes(b"library")
            record = Record("cpu", "a-01234567.so", _cache.file_sha256(built), "", "", "")
            _cache.publish(built, record, cache / "a.json")
    finally:
        os.umask(before)
    made = [cache.parent, cache, cache / "a.json", cache / "a-01234567.so"]
    assert [path.name for path in made if path.stat().st_mode & 0o022] == []
    assert _cache.is_whole(cache / "a.json")


def test_only_temporary_folders_of_builds_are_cleared(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    killed, killed_at_once = cache / ".stylegan2_ops-build-a", cache / ".stylegan2_ops-build-b"
    other, link = cache / ".build-mine", cache / ".stylegan2_ops-build-link"
    unmarked, outside = cache / ".stylegan2_ops-build-mine", tmp_path / "outside"
    for folder in (killed, killed_at_once, other, unmarked, outside):
        folder.mkdir(parents=True, mode=0o700)
    for folder in (other, unmarked, outside):
        (folder / "mine").touch()
    for folder in (killed, outside):
        (folder / "made-by-stylegan2_ops").touch()
    (killed / "cpu.so").touch()
    link.symlink_to(outside)
    cache.chmod(0o700)
    with _cache.workplace(cache) as work:
        assert work.name.startswith(".stylegan2_ops-build-")
    left = sorted(path.name for path in cache.iterdir())
    assert left == sorted([".lock", other.name, link.name, unmarked.name])
    assert len(list(outside.iterdir())) == 2


def test_a_cache_that_others_can_change_is_not_built_into(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    message = f"cache can be written to by other users; run chmod go-w '{cache}', or name another"
    with pytest.raises(BuildError, match=message), _cache.workplace(cache):
        raise AssertionError("it was built into")
    assert list(cache.iterdir()) == []


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
    (tmp_path / "a-mine.so").touch()
    for number in range(3):
        built = work / "built.so"
        built.write_bytes(b"%d" % number)
        name = f"a-0000000{number}.so"
        record = Record("cpu", name, _cache.file_sha256(built), "", "", "")
        assert _cache.publish(built, record, target) == tmp_path / name
        assert _cache.is_whole(target)
    names = sorted(path.name for path in tmp_path.glob("*.so"))
    assert names == ["a-00000001.so", "a-00000002.so", "a-mine.so"]
