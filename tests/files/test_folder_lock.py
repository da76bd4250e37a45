"""`regen.files.folder_lock`: one process at a time fills a folder, and the others learn which."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regen.errors import StoreError
from regen.files import folder_lock as module
from regen.files.folder_lock import LOCK_FILE, folder_lock
from regen.files.locks import Lock

HOLD = """
import sys, time
from pathlib import Path
from regen.files.folder_lock import folder_lock
sys.argv = ["/usr/bin/regen", "rewrite", "--edits", "my eyes.json"]
with folder_lock(Path(".")):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """Another process that holds the lock of the folder."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def write_holder(folder: Path, **values: object) -> None:
    usual = {"pid": 1, "host": socket.gethostname(), "boot": "1", "command": "regen rewrite"}
    (folder / LOCK_FILE).write_text(json.dumps({**usual, **values}))


@pytest.mark.parametrize("program", ["/usr/bin/regen", "/opt/regen/__main__.py"])
def test_the_file_names_the_process_and_is_removed(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [program, "rewrite", "-o", "a b"])
    with folder_lock(tmp_path):
        written = json.loads((tmp_path / LOCK_FILE).read_text())
        assert written == {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "boot": module._boot(),
            "command": "regen rewrite -o 'a b'",
        }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_it_is_removed_however_the_block_ends(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), folder_lock(tmp_path):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_named(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreError) as caught, folder_lock(tmp_path):
        raise AssertionError("two processes hold one folder")
    assert str(caught.value) == (
        f"{tmp_path} is being filled by another run: process {holder.pid} on "
        f"{socket.gethostname()}, regen rewrite --edits 'my eyes.json'; "
        "wait until it ends, or end it; or choose another folder"
    )
    assert (tmp_path / LOCK_FILE).is_file()


def test_the_lock_of_a_killed_process_is_taken_over(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / LOCK_FILE).is_file()
    with folder_lock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_another_part_of_this_process_is_kept_out(tmp_path: Path) -> None:
    inner = pytest.raises(StoreError, match=f"filled by another run: process {os.getpid()} on ")
    with folder_lock(tmp_path), inner, folder_lock(tmp_path):
        raise AssertionError("one folder is held twice")
    assert list(tmp_path.iterdir()) == []


def test_another_machine_is_believed(tmp_path: Path) -> None:
    write_holder(tmp_path, host="node7", pid=2**22 + 1)
    message = f"process 4194305 on node7, regen rewrite; .*; if it has ended, delete .*{LOCK_FILE}"
    with pytest.raises(StoreError, match=message), folder_lock(tmp_path):
        raise AssertionError("another machine's folder was taken")
    assert (tmp_path / LOCK_FILE).is_file()


def test_a_container_that_was_killed_on_this_machine_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_boot", lambda: "c0ffee")
    write_holder(tmp_path, host="2f1e0d", boot="c0ffee")
    with folder_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", '{"pid": 1}', '{"pid": "x", "host": "", "command": ""}', "[" * 9999],
)
def test_what_a_process_left_that_was_killed_in_writing_is_taken_over(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / LOCK_FILE).write_text(content)
    with folder_lock(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("alive", "taken"), [(True, False), (False, True)])
def test_where_there_are_no_locks_the_number_of_the_process_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: bool, taken: bool
) -> None:
    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (77, 0)
        if not alive:
            raise ProcessLookupError

    monkeypatch.setattr(module, "try_lock", lambda _: Lock.UNKNOWN)
    monkeypatch.setattr(os, "kill", kill)
    write_holder(tmp_path, pid=77)
    if taken:
        with folder_lock(tmp_path):
            pass
    else:
        message = f"process 77 .*; if it has ended, delete .*{LOCK_FILE}$"
        with pytest.raises(StoreError, match=message), folder_lock(tmp_path):
            raise AssertionError("a living process's folder was taken")


def test_on_windows_whoever_is_named_may_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No locks, no `pread`, and asking for a process would end it."""
    monkeypatch.setattr(module, "_WINDOWS", True)
    monkeypatch.setattr(module, "try_lock", lambda _: Lock.UNKNOWN)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("a process was asked for"))
    monkeypatch.delattr(os, "pread", raising=False)
    write_holder(tmp_path, pid=77)
    message = f"process 77 .*; if it has ended, delete .*{LOCK_FILE}$"
    with pytest.raises(StoreError, match=message), folder_lock(tmp_path):
        raise AssertionError("two processes hold one folder")
    assert (tmp_path / LOCK_FILE).is_file()


@pytest.mark.parametrize("windows", [True, False])
def test_the_file_is_removed_while_it_is_locked_but_on_windows_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, windows: bool
) -> None:
    done: list[str] = []
    close, unlink = os.close, Path.unlink
    monkeypatch.setattr(module, "_WINDOWS", windows)
    with monkeypatch.context() as patched, folder_lock(tmp_path):
        patched.setattr(os, "close", lambda number: (done.append("closed"), close(number)))
        patched.setattr(Path, "unlink", lambda path: (done.append("removed"), unlink(path)))
    assert done == (["closed", "removed"] if windows else ["removed", "closed"])


def test_the_message_is_one_line_that_can_be_printed(tmp_path: Path) -> None:
    write_holder(tmp_path, host="a\nb\x1b[2J\u202e", command="x" * 2000)
    with pytest.raises(StoreError) as caught, folder_lock(tmp_path):
        raise AssertionError("another machine's folder was taken")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1000


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    (tmp_path / LOCK_FILE).symlink_to("mine")
    with pytest.raises(StoreError, match="cannot write "), folder_lock(tmp_path):
        raise AssertionError("a link was taken for the lock")
    assert (tmp_path / "mine").read_text() == "keep"
