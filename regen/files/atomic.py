"""Files that are written whole or not at all.

Everything this package writes goes to a temporary name in the same folder, is synced to disk, and
is renamed when the block that writes it has succeeded. A reader never sees half of it. A temporary
file is locked by the process that writes it, so those that a killed process left can be told from
others, and are removed by `ensure_folder`.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regen.errors import StoreError
from regen.files.addresses import address_of
from regen.files.locks import Lock, try_lock

_PART = re.compile(r"\.[0-9a-f]{16}\.part(\..*)?")  # names that `_locked_part` gives
_REMEDIES = {
    errno.ENOSPC: "free some space, or choose a folder on another disk",
    errno.EDQUOT: "free some space, or choose a folder on another disk",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENOENT: "create the folder first",
    errno.ENOTDIR: "a part of the path is a file, choose another folder",
    errno.EEXIST: "a file has the name of the folder, choose another folder",
    errno.EISDIR: "a folder has this name, choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}


@contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; make it `path` if the block succeeds.

    Until then whatever was at `path` stays as it was; on any error or Ctrl-C it stays for good, and
    the temporary file is removed. The temporary name keeps the suffix of `path`.

    Raises:
        StoreError: If the block or the renaming raises an OSError (disk full, no permission, ...),
            or a device, pipe or socket is there, in whose place no file is put.
    """
    whole = Path(os.path.realpath(path))
    if os.path.exists(whole) and not (os.path.isfile(whole) or os.path.isdir(whole)):
        raise StoreError(
            f"cannot write {path}", got="a device or a pipe", expected="a file, or nothing there"
        )
    try:
        with _locked_part(whole) as part:
            yield part
            _sync(part, os.O_RDWR)
            os.replace(part, whole)
    except OSError as error:
        raise cannot_write(path, error) from error
    with suppress(OSError):  # some file systems cannot sync a folder
        _sync(whole.parent, os.O_RDONLY)


@contextmanager
def _locked_part(whole: Path) -> Iterator[Path]:
    """An empty file beside `whole`, locked, and removed at the end if it is still there."""
    while True:
        part = whole.parent / f".{secrets.token_hex(8)}.part{whole.suffix}"
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if try_lock(descriptor) is not Lock.HELD and part.exists():
            break
        os.close(descriptor)  # a process that cleared the folder was faster
    try:
        if os.name == "nt":  # an open file cannot be renamed there
            os.close(descriptor)
        yield part
    finally:
        with suppress(OSError):
            part.unlink()
        if os.name != "nt":
            os.close(descriptor)


def remove_abandoned(folder: Path | str) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Those that another process is writing stay, and so do all where the file system has no locks.
    """
    with suppress(OSError):
        names = [name for name in os.listdir(folder) if _PART.fullmatch(name)]
        for part in (Path(folder, name) for name in names):
            with suppress(OSError):
                _remove_if_abandoned(part)


def _remove_if_abandoned(part: Path) -> None:
    descriptor = os.open(part, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if try_lock(descriptor) is Lock.TAKEN:
            part.unlink()
    finally:
        os.close(descriptor)


def ensure_folder(path: Path | str) -> Path:
    """Make the folder `path`, and its parents, and prove that a file can be written there.

    What killed processes left there in the middle of writing is removed.

    Raises:
        StoreError: If it cannot be made or written to. Call this before any long work.
    """
    folder = Path(path)
    if (address := _address(folder)) is not None:
        raise _no_place(address)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked_part(folder / "probe") as probe:
            probe.write_bytes(b"regen")
    except OSError as error:
        raise cannot_write(folder, error) from error
    remove_abandoned(folder)
    return folder


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write `data` to the file `path`, all or nothing. Raises StoreError if that fails."""
    with atomic_write(path) as part:
        part.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` as UTF-8 to the file `path`, all or nothing. Raises StoreError if that fails.

    A name that is not in UTF-8 has halves of characters in it; they are written as JSON escapes.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as indented JSON to `path`, all or nothing. Raises StoreError if that fails."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cannot_write(path: Path | str, error: OSError) -> StoreError:
    """The error of a file or folder that cannot be written, with what may help."""
    if error.errno == errno.ENOENT and (address := _address(path)) is not None:
        return _no_place(address)
    remedy = _REMEDIES.get(error.errno or 0, "choose another place to write to")
    return StoreError(f"cannot write {path}: {error.strerror or error}", remedy=remedy)


def _address(path: Path | str) -> str | None:
    """The address in place of a path to write to; none if its first part is a folder's name."""
    address = address_of(path)
    return None if address is None or os.path.exists(Path(path).parts[0]) else address


def _no_place(address: str) -> StoreError:
    """The error of an address in place of a path to write to."""
    return StoreError(
        "place to write to",
        got=f"the address {address}",
        expected="a local path",
        remedy="copy the results to the address afterwards",
    )
