"""Find the library of a device and load it, once in a process.

A library is looked for in the package (a wheel may bring it), then in the cache of the user. It is
verified before it is loaded, so that a damaged one is a reason and not a crash, and so is one that
another user could have put there. The package is trusted as its Python code is. Nothing here
compiles, and nothing here raises for what it finds.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegan2_ops import _cache, _compiled
from stylegan2_ops._cache import Record
from stylegan2_ops._plan import DEVICES, capability_here, runs_here, sources_digest
from stylegan2_ops._toolchain import BuildError

BUILD = "python -m stylegan2_ops build"


@dataclass(frozen=True)
class Library:
    """A library that is loaded.

    Attributes:
        path: Where it is.
        record: What it is.
        runs_on: What its kernels use: "avx512" and the like, or GPUs.
    """

    path: Path
    record: Record
    runs_on: str


@dataclass(frozen=True)
class Missing:
    """Why there is no library.

    Attributes:
        why: A phrase such as "no kernels have been built for cpu".
        remedy: A command that may help; empty if there is none.
    """

    why: str
    remedy: str = BUILD


_loaded: dict[str, Library | Missing] = {}
_lock = threading.RLock()


def load(device: str) -> Library | Missing:
    """The library of a device ("cpu", "cuda", ...), loaded; the first result is kept.

    With the CPU's library the operators are declared, so it is loaded before any other.
    """
    with _lock:
        if device not in _loaded:
            _loaded[device] = _load(device)
        return _loaded[device]


def _load(device: str) -> Library | Missing:
    if device not in DEVICES:
        return Missing(f"there are no kernels for {device}", remedy="")
    if device != "cpu":
        if torch.version.cuda is None:
            return Missing(f"torch {torch.__version__} is built without CUDA", remedy="")
        declared = load("cpu")
        if isinstance(declared, Missing):
            return Missing(f"{declared.why}, which declare the operators", declared.remedy)
    problem: Missing | None = None
    for path in _packaged(device):
        found = _open(path, device)
        if isinstance(found, Library):
            return found
        problem = problem or found
    try:
        cache = Path(os.path.realpath(_cache.folder()))
    except BuildError as error:
        return problem or Missing(str(error), remedy="")
    for path in _candidates(device, cache):
        found = _untrusted(path, device) or _open(path, device)
        if isinstance(found, Library):
            return found
        problem = problem or found
    return problem or _none(device, cache)


def _none(device: str, cache: Path) -> Missing:
    if sys.platform == "win32":
        return Missing("the kernels cannot be built on Windows yet", remedy="")
    return Missing(_why_none(device, cache))


def _packaged(device: str) -> list[Path]:
    """The record of the package, if it has one."""
    packaged = _cache.PACKAGED / f"{device}.json"
    return [packaged] if packaged.is_file() else []


def _candidates(device: str, cache: Path) -> Iterator[Path]:
    """Records in the cache that fit, the one to be tried first first."""
    try:
        fitting = cache.glob(f"{_cache.prefix(device, sources_digest(device))}*.json")
        yield from sorted(fitting, key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:  # an unreadable cache is as good as an empty one
        return


def _untrusted(path: Path, device: str) -> Missing | None:
    """What speaks against a record in the cache and its library, or None. Nothing is read before.

    What is found good stays so: nobody else can change a file, or a folder on the way to it.
    """
    again = f"{BUILD} --{device} --force"
    try:
        found = _cache.untrusted(path)
        if found is None:
            library = path.parent / _cache.read_record(path).library
            found = _cache.untrusted(library)
    except (OSError, ValueError) as error:
        return Missing(f"{path} cannot be read ({error})", again)
    return None if found is None else Missing(f"{found.why}, so it is not used", found.remedy)


def _open(path: Path, device: str) -> Library | Missing:
    """Load the library of a record, or say what is wrong with it."""
    again = f"{BUILD} --{device} --force"
    try:
        record = _cache.read_record(path)
        library = path.parent / record.library
        if _cache.file_sha256(library) != record.sha256:
            return Missing(f"{library} is damaged", again)
    except (OSError, ValueError) as error:
        return Missing(f"{path} cannot be read ({error})", again)
    unfit = _unfit(record)
    if unfit:
        return Missing(unfit, again)
    try:
        torch.ops.load_library(str(library))
        if record.device == "cuda":
            return Library(library, record, f"CUDA {', '.join(record.architectures)}")
        capability = ctypes.CDLL(str(library)).stylegan2_ops_cpu_capability
        capability.restype = ctypes.c_char_p
        _compiled.register()
        return Library(library, record, capability().decode())
    except (AttributeError, OSError, RuntimeError) as error:
        return Missing(f"{library} cannot be loaded ({str(error).splitlines()[0]})", again)


def _unfit(record: Record) -> str:
    """Why a library cannot run on this processor or these GPUs, or nothing."""
    if record.device == "cpu":
        if any(runs_here(capability) for capability in record.architectures):
            return ""
        return (
            f"the kernels for cpu are compiled for processors with "
            f"{', '.join(record.architectures)}, and this one is of the kind {capability_here()}"
        )
    release = str(torch.version.cuda)
    if record.cuda.split(".")[0] != release.split(".")[0]:
        return f"the kernels for cuda are of CUDA {record.cuda}, torch is of CUDA {release}"
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            gpu = torch.cuda.get_device_capability(index)
            if not any(_covers(name, gpu) for name in record.architectures):
                return (
                    f"the kernels for cuda are compiled for {', '.join(record.architectures)}, "
                    f"and this GPU is {gpu[0]}.{gpu[1]} (set TORCH_CUDA_ARCH_LIST)"
                )
    return ""


def _covers(architecture: str, gpu: tuple[int, int]) -> bool:
    """Whether machine code (same major version) or PTX (any later GPU) runs on a GPU."""
    number = architecture.removesuffix("+PTX")
    major, minor = (int(part.rstrip("af")) for part in number.split("."))
    if architecture.endswith("+PTX") and (major, minor) <= gpu:
        return True
    return major == gpu[0] and minor <= gpu[1]


def _why_none(device: str, cache: Path) -> str:
    start = f"{device}-{_cache.machine()}-torch"
    try:
        others = sorted(path.name for path in cache.glob(f"{start}*.json"))
    except OSError:
        others = []
    if not others:
        return f"no kernels have been built for {device}"
    release = _cache.torch_release()
    if any(name.startswith(f"{start}{release}-") for name in others):
        return f"the kernels for {device} were built from other sources"
    theirs = others[-1].removeprefix(start).split("-")[0]
    return f"the kernels for {device} were built for torch {theirs}, and this is {release}"
