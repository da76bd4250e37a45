"""Where built libraries are stored: folders of records, each naming the library that it describes.

A *record* is a JSON file that says what a library is, was made from and was made with. It is
written last and atomically, and libraries are named after their content, so that a process that
finds a record finds the whole library, whatever other processes do or however a build ends.

A record's name starts with everything that must match for its library to be used: device, platform,
version of torch, and the digest of sources and flags. It ends with the digest of the build tools.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from stylegan2_ops._toolchain import BuildError

PACKAGED = Path(__file__).parent / "lib"  # filled in a wheel that brings its kernels
_TEMPORARY = ".build-"


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
        architectures: Of GPUs, such as ["8.0", "9.0+PTX"]; empty for "cpu".
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
    """The cache of this user: $STYLEGAN2_OPS_CACHE, or stylegan2_ops in the folder for caches."""
    named = os.environ.get("STYLEGAN2_OPS_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return Path(os.path.expanduser(base), "stylegan2_ops")


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
    """Whether `path` is a record whose library is there and undamaged."""
    try:
        record = read_record(path)
        return file_sha256(path.parent / record.library) == record.sha256
    except (OSError, ValueError):
        return False


@contextmanager
def workplace(cache: Path) -> Iterator[Path]:
    """A temporary folder in `cache`, for one build at a time where the file system has locks.

    Raises:
        BuildError: If the cache cannot be made or written to.
    """
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (cache / ".lock").open("w") as lock:
            if _locked(lock.fileno()):
                for left in cache.glob(f"{_TEMPORARY}*"):  # by builds that were killed
                    shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=cache) as temporary:
                yield Path(temporary)
    except OSError as error:
        raise BuildError(
            f"cannot write to {cache} ({error.strerror or error}); "
            "name a folder that can be written to with STYLEGAN2_OPS_CACHE"
        ) from error


def publish(built: Path, record: Record, target: Path) -> Path:
    """Move the library `built` beside `target`, the path of its record, and write that.

    Both must be on one file system. A library that the record named before stays for those who
    have just read its name, until the next publication.

    Returns:
        Where the library is now.
    """
    library = target.parent / record.library
    old = target.parent.glob(f"{target.stem}-*{built.suffix}")
    with suppress(OSError, ValueError):
        named = read_record(target).library
        for path in old:
            if path.name not in (named, library.name):
                path.unlink()
    os.replace(built, library)
    part = built.parent / target.name
    part.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
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
