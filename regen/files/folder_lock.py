"""One process at a time fills a folder: a file in it says which, and is locked meanwhile.

The file holds one JSON object, {"pid": 123, "host": "node7", "boot": "...", "command": "regen
rewrite ..."}, and is removed when the folder is released. Of a process that was killed it stays,
without the system's lock; the next process on that machine takes it over. A machine is known by its
name, or by when it was started, which its containers have in common.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from regen.errors import StoreError
from regen.files.atomic import cannot_write
from regen.files.locks import Lock, try_lock

LOCK_FILE = ".regen.lock"
_LONGEST_BYTES = 4096  # of the file that is read
_LONGEST_SHOWN = 300  # characters of a command
_WINDOWS = os.name == "nt"


@dataclass(frozen=True)
class Holder:
    """A process that fills a folder.

    Attributes:
        pid: Its number.
        host: Name of its machine.
        boot: What the machine's system calls its start, "" where it gives that no name.
        command: Its command line.
    """

    pid: int
    host: str
    boot: str
    command: str

    def __str__(self) -> str:
        words = f"process {self.pid} on {self.host}, {self.command[:_LONGEST_SHOWN]}"
        return "".join(letter if letter.isprintable() else "?" for letter in words)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes from filling a folder, until the block ends.

    Args:
        folder: Exists, and can be written to.

    Raises:
        StoreError: If another process fills it, naming that one; or the lock cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        descriptor = _take(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        _release(path, descriptor)


def _take(path: Path) -> int:
    """The descriptor of the lock file, which is now ours."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags, 0o666)
        try:
            lock = try_lock(descriptor)
            if lock is not Lock.HELD and not _is_file(path, descriptor):
                os.close(descriptor)  # whoever held it has just removed it
                continue
            holder = _read(descriptor)
            if lock is Lock.HELD or (holder is not None and _may_live(holder, lock)):
                raise _held(path, holder, lock)
            _write(descriptor, _ourselves())
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        return descriptor


def _release(path: Path, descriptor: int) -> None:
    """Remove the lock file, while it is still locked; Windows removes no file that is open."""
    if _WINDOWS:
        with suppress(OSError):
            os.close(descriptor)
    with suppress(OSError):
        path.unlink()
    if not _WINDOWS:
        with suppress(OSError):
            os.close(descriptor)


def _is_file(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _may_live(holder: Holder, lock: Lock) -> bool:
    """Whether a process may still run, although the lock of its file was not `Lock.HELD`."""
    if not _is_here(holder):
        return True  # locks do not reach all machines
    if lock is Lock.TAKEN or holder.pid == os.getpid():
        return False
    if _WINDOWS:  # where asking for a process would end it
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_here(holder: Holder) -> bool:
    """Whether a process is, or was, on this machine."""
    return holder.host == socket.gethostname() or (holder.boot != "" and holder.boot == _boot())


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _ourselves() -> Holder:
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    command = shlex.join([name, *sys.argv[1:]])
    return Holder(os.getpid(), socket.gethostname(), _boot(), command)


def _read(descriptor: int) -> Holder | None:
    """Who wrote the file, or None where it is empty or was not written to its end."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _LONGEST_BYTES)
    try:
        values = json.loads(text)
        names = (str(values[name]) for name in ("host", "boot", "command"))
        return Holder(int(values["pid"]), *names)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _write(descriptor: int, holder: Holder) -> None:
    values = {**asdict(holder), "command": holder.command[:_LONGEST_SHOWN]}
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(values).encode())


def _held(path: Path, holder: Holder | None, lock: Lock) -> StoreError:
    remedy = "wait until it ends, or end it; or choose another folder"
    if holder is not None and (lock is Lock.UNKNOWN or not _is_here(holder)):
        remedy += f"; if it has ended, delete {path}"
    other = "a process that has just started" if holder is None else str(holder)
    return StoreError(f"{path.parent} is being filled by another run: {other}", remedy=remedy)
