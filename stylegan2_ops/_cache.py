"""Where built libraries are stored: folders of records, each naming the library that it describes.

A *record* is a JSON file that says what a library is, was made from and was made with. It is
written last and at once, and libraries are named after their content, so that whoever finds a
record finds the whole library, whatever other processes do or however a build ends. The cache is
used only where nobody but its user and root can change it, see `_trust`.

A record's name starts with everything that must match for its library to be used: device, platform,
version of torch, and the digest of sources and flags. It ends with the digest of the build tools.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stylegan2_ops._toolchain import BuildError
from stylegan2_ops._trust import Distrust, distrust

PACKAGED = Path(__file__).parent / "lib"  # filled in a wheel that brings its kernels
_TEMPORARY = ".stylegan2_ops-build-"
_MARK = "made-by-stylegan2_ops"  # a file in a temporary folder


@dataclass(frozen=True)
class Record:
    """What a library is.

    Attributes:
        device: "cpu" or "cuda".
        library: File name, in the folder of the record.
        sha256: Of that file, as hexadecimal digits.
        sources: Digest of the sources and flags it was built from.
        torch: Version of the torch it was built with.
        compiler: What the compiler says about itself.
        cuda: Version of CUDA; empty for "cpu".
        architectures: Of GPUs, such as ["8.0", "9.0+PTX"], or of processors, such as ["avx2"].
    """

    device: str
    library: str
    sha256: str
    sources: str
    torch: str
    compiler: str
    cuda: str = ""
    architectures: tuple[str, ...] = ()


def folder() -> Path:
    """The cache of this user: $STYLEGAN2_OPS_CACHE, or stylegan2_ops in the folder for caches.

    Raises:
        BuildError: If what names it is not an absolute path. The folder would be another one
            wherever a program starts, a stranger's for instance.
    """
    for name, below in (("STYLEGAN2_OPS_CACHE", ""), ("XDG_CACHE_HOME", "stylegan2_ops")):
        if os.environ.get(name):
            return _absolute(name, os.environ[name]) / below
    return _absolute("HOME", os.path.join("~", ".cache")) / "stylegan2_ops"


def _absolute(variable: str, path: str) -> Path:
    place = Path(os.path.expanduser(path))
    if not place.is_absolute():
        raise BuildError(
            f"{variable} gives {str(place)!r} as the place of compiled kernels, which is not an "
            "absolute path; name a folder with STYLEGAN2_OPS_CACHE"
        )
    return place


def machine() -> str:
    """Operating system and architecture, such as "linux-x86_64"."""
    return f"{sys.platform}-{platform.machine().lower()}"


def torch_release(version: str = torch.__version__) -> str:
    """What of torch's version matters to a library: "2.11" of "2.11.1+cu130"."""
    return ".".join(version.split("+")[0].split(".")[:2])


def prefix(device: str, sources: str) -> str:
    """How the names of records that fit this machine and torch start."""
    return f"{device}-{machine()}-torch{torch_release()}-{sources[:12]}-"


def record_name(device: str, sources: str, tools: str) -> str:
    """Name of a record, without suffix; `sources` and `tools` are digests."""
    return f"{prefix(device, sources)}{tools[:12]}"


def digest(*parts: bytes | str) -> str:
    """Hexadecimal SHA-256 of the parts and of where each of them ends."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        ValueError: If it is not one, or names a file outside of its folder.
        OSError: If it cannot be read.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["architectures"] = tuple(values["architectures"])
        record = Record(**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a record of a library") from error
    if record.library != os.path.basename(str(record.library)):
        raise ValueError(f"{path} names a library outside of its folder")
    return record


def is_whole(path: Path) -> bool:
    """Whether `path` is a record whose library is there, undamaged, and to be trusted."""
    try:
        record = read_record(path)
        library = path.parent / record.library
        return file_sha256(library) == record.sha256 and untrusted(path, library) is None
    except (OSError, ValueError):
        return False


def untrusted(*paths: Path) -> Distrust | None:
    """What speaks against using files of one folder, and that folder; None if nothing does.

    Raises:
        OSError: If one of them is not there.
    """
    folders = [path.parent for path in paths]
    return distrust(*(Path(os.path.realpath(path)) for path in [*folders, *paths]))


@contextmanager
def workplace(cache: Path) -> Iterator[Path]:
    """A temporary folder in `cache`, for one build at a time where the file system has locks.

    Raises:
        BuildError: If the cache cannot be made or written to, or others could change it.
    """
    try:
        _make(cache)
        found = distrust(Path(os.path.realpath(cache)))
        if found is not None:
            how = f"run {found.remedy}, or name" if found.remedy else "name"
            raise BuildError(f"{found.why}; {how} another folder with STYLEGAN2_OPS_CACHE")
        with (cache / ".lock").open("a") as lock:
            if _locked(lock.fileno()):
                for left in cache.glob(f"{_TEMPORARY}*"):  # by builds that were killed
                    _remove(left)
            with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=cache) as temporary:
                Path(temporary, _MARK).touch()
                yield Path(temporary)
    except OSError as error:
        raise BuildError(
            f"cannot write to {cache} ({error.strerror or error}); "
            "name a folder that can be written to with STYLEGAN2_OPS_CACHE"
        ) from error


def _make(folder: Path) -> None:
    """Make a folder and those above it, for this user alone, whatever the umask is."""
    if not folder.is_dir():
        if folder.parent != folder:
            _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _remove(left: Path) -> None:
    """Remove the temporary folder of a killed build, if that is what it is."""
    if left.is_symlink() or not left.is_dir():
        return
    if (left / _MARK).is_file():
        shutil.rmtree(left, ignore_errors=True)
    else:
        with suppress(OSError):
            left.rmdir()  # only if the build was killed before it had put a mark there


def publish(built: Path, record: Record, target: Path) -> Path:
    """Move the library `built` beside `target`, the path of its record, and write that.

    Both must be on one file system. A library that the record named before stays for those who
    have just read its name, until the next publication.

    Returns:
        Where the library is now.
    """
    library = target.parent / record.library
    ours = re.compile(re.escape(target.stem) + "-[0-9a-f]{8}" + re.escape(built.suffix))
    with suppress(OSError, ValueError):
        named = read_record(target).library
        for path in target.parent.iterdir():
            if ours.fullmatch(path.name) and path.name not in (named, library.name):
                path.unlink()
    part = built.parent / target.name
    part.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    for path in (built, part):  # a wide umask would let others write them
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))
    os.replace(built, library)
    os.replace(part, target)
    return library


def bundle(path: Path, package_lib: Path) -> None:
    """Copy the record `path` and its library to where `PACKAGED` is in a package being built."""
    record = read_record(path)
    package_lib.mkdir(parents=True, exist_ok=True)
    shutil.copy(path.parent / record.library, package_lib)
    shutil.copyfile(path, package_lib / f"{record.device}.json")


def _locked(descriptor: int) -> bool:
    """Wait for the lock, which ends with the process; False where locks are not supported."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except (ImportError, OSError):
        return False
    return True
