"""`regen.files.atomic`: whole files or none."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from regen.errors import StoreError
from regen.files import atomic
from regen.files.locks import Lock, try_lock


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


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(StoreError, match=f"cannot write .*{name}: got a device or a pipe, ex"):
            atomic.write_text(tmp_path / name, "text")
    assert (tmp_path / "pipe").is_fifo() and names(tmp_path) == ["link", "pipe"]


def test_a_file_in_the_path_is_reported(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match="Not a directory; a part of the path is a file"):
        atomic.write_text(tmp_path / "a" / "b", "")


def test_ensure_folder_makes_parents_and_leaves_it_empty(tmp_path):
    folder = atomic.ensure_folder(tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert names(folder) == []
    assert atomic.ensure_folder(folder) == folder


def test_an_address_is_no_place_to_write_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = "place to write to: got the address http://a.b/c, expected a local path; copy the"
    with pytest.raises(StoreError, match=message):
        atomic.ensure_folder(Path("http://a.b/c"))
    with pytest.raises(StoreError, match=message):
        atomic.write_text("http://a.b/c", "text")
    assert names(tmp_path) == []
    (tmp_path / "run:").mkdir()
    with pytest.raises(StoreError, match="cannot write run:/a/b: No such file or directory; creat"):
        atomic.write_text("run:/a/b", "text")
    assert atomic.ensure_folder("run:/a").is_dir()


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


WRITE_AND_DIE = """
import os, signal, sys
from regen.files.atomic import atomic_write
with atomic_write(sys.argv[1]) as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed(tmp_path):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITE_AND_DIE, str(tmp_path / "a.png")]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(root)})
    assert ran.returncode == -signal.SIGKILL
    (left,) = names(tmp_path)
    assert left.endswith(".part.png")
    atomic.ensure_folder(tmp_path)
    assert names(tmp_path) == []


def test_what_is_being_written_and_what_is_somebody_elses_stays(tmp_path):
    others = [".0123456789abcdef.party", ".x.part", "0123456789abcdef.part", "a.part.png"]
    for name in others:
        (tmp_path / name).write_text("")
    (tmp_path / ".0123456789abcdef.part").symlink_to("a.part.png")
    with atomic.atomic_write(tmp_path / "a") as part:
        part.write_text("half")
        atomic.remove_abandoned(tmp_path)
        assert part.read_text() == "half"
    assert (tmp_path / "a").read_text() == "half"
    assert names(tmp_path) == sorted([*others, ".0123456789abcdef.part", "a"])


def test_without_locks_nothing_is_taken_for_abandoned(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "try_lock", lambda _: Lock.UNKNOWN)
    (tmp_path / ".0123456789abcdef.part").write_text("perhaps of another process")
    atomic.write_text(atomic.ensure_folder(tmp_path) / "a", "whole")
    assert names(tmp_path) == [".0123456789abcdef.part", "a"]


def test_a_temporary_file_that_was_cleared_at_once_is_made_again(tmp_path, monkeypatch):
    """Another process may clear the folder between the making of the file and its locking."""
    locks = iter([Lock.HELD])
    monkeypatch.setattr(atomic, "try_lock", lambda file: next(locks, None) or try_lock(file))
    atomic.write_text(tmp_path / "a", "whole")
    assert (tmp_path / "a").read_text() == "whole"


def test_a_folder_that_is_not_there_has_nothing_to_remove(tmp_path):
    atomic.remove_abandoned(tmp_path / "none")
