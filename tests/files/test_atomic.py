"""`regen.files.atomic`: whole files or none."""

import errno
import json
import os

import pytest

from regen.errors import StoreError
from regen.files import atomic


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_with(monkeypatch, name, code):
    def broken(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, name, broken)


def test_writes_the_whole_file_and_nothing_else(tmp_path):
    with atomic.atomic_write(tmp_path / "a.png") as part:
        assert part.parent == tmp_path
        assert part.suffix == ".png"
        part.write_bytes(b"whole")
        assert not (tmp_path / "a.png").exists()
    assert (tmp_path / "a.png").read_bytes() == b"whole"
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_error_in_the_block_keeps_the_old_file(tmp_path, error):
    (tmp_path / "a").write_text("old")
    with pytest.raises(error), atomic.atomic_write(tmp_path / "a") as part:
        part.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_the_mode_of_a_new_file_obeys_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        atomic.write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    atomic.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free some space, or choose a folder on another disk"),
        (errno.EACCES, "choose a folder that you may write to"),
        (errno.EROFS, "choose a folder that you may write to"),
        (errno.EIO, "choose another place to write to"),
    ],
)
def test_a_failing_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch, name, code, remedy):
    (tmp_path / "a").write_text("old")
    fail_with(monkeypatch, name, code)
    with pytest.raises(StoreError) as caught:
        atomic.write_text(tmp_path / "a", "new")
    assert str(caught.value) == f"cannot write {tmp_path / 'a'}: {os.strerror(code)}; {remedy}"
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(StoreError, match="No such file or directory; create the folder first"):
        atomic.write_text(tmp_path / "none" / "a", "")


def test_a_folder_in_the_place_of_the_file_is_reported(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="Is a directory; a folder has this name"):
        atomic.write_text(tmp_path / "a", "")
    assert names(tmp_path) == ["a"]


def test_a_file_in_the_path_is_reported(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match="Not a directory; a part of the path is a file"):
        atomic.write_text(tmp_path / "a" / "b", "")


def test_ensure_folder_makes_parents_and_leaves_it_empty(tmp_path):
    folder = atomic.ensure_folder(tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert names(folder) == []
    assert atomic.ensure_folder(folder) == folder


def test_ensure_folder_refuses_a_file(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match="a file has the name of the folder"):
        atomic.ensure_folder(tmp_path / "a")
    with pytest.raises(StoreError, match="a part of the path is a file"):
        atomic.ensure_folder(tmp_path / "a" / "b")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_ensure_folder_tries_to_write(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="choose a folder that you may write to"):
            atomic.ensure_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_ensure_folder_tells_of_a_full_disk(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(StoreError, match="No space left on device; free some space"):
        atomic.ensure_folder(tmp_path)


def test_json_is_indented_utf8_and_ends_with_a_newline(tmp_path):
    atomic.write_json(tmp_path / "a.json", {"é": [1, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n  "é": [\n    1,\n    null\n  ]\n}\n'
    assert json.loads(text) == {"é": [1, None]}


def test_numbers_that_json_lacks_are_refused_before_writing(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        atomic.write_json(tmp_path / "a.json", [float("nan")])
    assert names(tmp_path) == []
