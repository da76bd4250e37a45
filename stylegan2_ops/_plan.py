"""What is compiled into the library of a device, and with which flags.

The CPU library holds the declaration of the operators and must be loaded first. On x86-64 its
kernels are compiled for the *capability* of this processor, or once for each, as wheels need: then
the best that the processor has is chosen when they run. Only torch's stable ABI is used: one
library serves every torch from 2.11 on, and every Python.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from stylegan2_ops import _cache
from stylegan2_ops._toolchain import BuildError, Compiler, Toolkit, find_cuda, find_cxx

SOURCES = Path(__file__).parent / "csrc"
DEVICES = ("cpu", "cuda")

_X86 = platform.machine().lower() in ("x86_64", "amd64")
_STABLE_ABI = "-DTORCH_TARGET_VERSION=0x020b000000000000"  # of torch 2.11
_REGISTER = ("-O2", "-fPIC", "-std=c++20", _STABLE_ABI, *(["-DSTYLEGAN2_OPS_X86"] if _X86 else []))
_KERNEL = (
    *("-O3", "-fPIC", "-std=c++17", "-fvisibility=hidden", "-fopenmp-simd"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
)
_AVX2 = ("-mavx2", "-mfma", "-mf16c")
_AVX512 = ("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512")
# The baseline comes first: of an inline function that several objects hold, the linker keeps the
# first, and that one must run on every processor.
_CAPABILITIES: dict[str, tuple[str, ...]] = {"baseline": ()}
if _X86:
    _CAPABILITIES |= {"avx2": _AVX2, "avx512": (*_AVX2, *_AVX512)}
_CUDA = (
    *("-O3", "--threads=0", "-std=c++17", "-Xcompiler=-fPIC,-fvisibility=hidden"),
    *("-DUSE_CUDA", _STABLE_ABI),  # torch's headers hide the current stream without USE_CUDA
)
_ARCHITECTURES = "8.0;9.0+PTX"


@dataclass(frozen=True)
class Unit:
    """One run of a compiler.

    Attributes:
        source: Relative to the folder of sources.
        object: File name of the result.
        flags: All flags but those that name folders.
    """

    source: str
    object: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Everything needed to build one library.

    Attributes:
        device: "cpu" or "cuda".
        sources: Folder of the sources.
        compiler: Compiles and links.
        units: Independent of each other; linked in this order.
        toolkit: For "cuda".
        architectures: GPUs, such as ("8.0", "9.0+PTX"), or capabilities of processors: ("avx2",).
    """

    device: str
    sources: Path
    compiler: Compiler
    units: tuple[Unit, ...]
    toolkit: Toolkit | None = None
    architectures: tuple[str, ...] = ()

    @property
    def sources_digest(self) -> str:
        """Digest of the sources, as they are now, and of the flags."""
        return sources_digest(self.device, self.sources)

    @property
    def record_name(self) -> str:
        """Name of the library's record, which changes with all that the library is made from."""
        cuda = self.toolkit.release if self.toolkit else ""
        abi = f"cxx11 {torch.compiled_with_cxx11_abi()}"
        tools = _cache.digest(self.compiler.version, cuda, abi, *self.architectures)
        return _cache.record_name(self.device, self.sources_digest, tools)


def plan(device: str, sources: Path = SOURCES, *, every_processor: bool = False) -> Plan:
    """What it takes to build the library of `device` on this machine.

    Args:
        device: "cpu" or "cuda".
        sources: Folder of the sources.
        every_processor: For "cpu": for all capabilities, not for that of this processor alone.

    Raises:
        ToolMissingError: If it cannot be built here.
        BuildError: If TORCH_CUDA_ARCH_LIST cannot be read.
    """
    if device == "cpu":
        for_these = tuple(_CAPABILITIES) if every_processor else (capability_here(),)
        units = _cpu_units(sources, for_these)
        return Plan("cpu", sources, find_cxx(), units, architectures=for_these)
    toolkit, architectures = find_cuda(), _architectures()
    units = _cuda_units(sources, architectures)
    return Plan("cuda", sources, toolkit.nvcc, units, toolkit, architectures)


def sources_digest(device: str, sources: Path = SOURCES) -> str:
    """Digest of all files that the library of `device` is made from, and of the flags.

    What depends on the machine that builds (compiler, architectures) is not in it.
    """
    parts: list[bytes | str] = []
    for path in sorted([*sources.glob("*.*"), *(sources / device).glob("*.*")]):
        parts += [path.relative_to(sources).as_posix(), path.read_bytes()]
    every = tuple(_CAPABILITIES)
    units = _cpu_units(sources, every) if device == "cpu" else _cuda_units(sources, ())
    return _cache.digest(*parts, repr(units), repr(link_flags(device)))


def capability_here() -> str:
    """The best capability that this processor has, by torch's own detection."""
    found = torch.backends.cpu.get_cpu_capability().lower()
    return found if found in _CAPABILITIES else "baseline"


def runs_here(capability: str) -> bool:
    """Whether this processor has a capability; later ones include those before them."""
    known = list(_CAPABILITIES)
    return capability in known and known.index(capability) <= known.index(capability_here())


def link_flags(device: str) -> tuple[str, ...]:
    """Flags of the linker but those that name folders."""
    torch_libraries = ("-ltorch_cpu", "-ltorch", "-lc10")
    if device == "cuda":
        # The runtime of CUDA is linked in, hidden, and so need not be of torch's minor version.
        hidden = "-Xlinker=--exclude-libs,ALL"
        return ("-shared", "-cudart=static", hidden, "-ltorch_cuda", *torch_libraries)
    if platform.system() == "Darwin":
        return ("-dynamiclib", "-undefined", "dynamic_lookup", *torch_libraries)
    return ("-shared", "-Wl,-z,defs", *torch_libraries)


def _cpu_units(sources: Path, capabilities: tuple[str, ...]) -> tuple[Unit, ...]:
    only = f"-DSTYLEGAN2_OPS_ONLY={capabilities[0]}"
    register = (*_REGISTER, *([only] if len(capabilities) == 1 else []))
    units = [Unit(f, f"{Path(f).stem}.o", register) for f in ("schema.cpp", "cpu/register.cpp")]
    kernels = sorted(p.name for p in (sources / "cpu").glob("*.cpp") if p.name != "register.cpp")
    for capability in capabilities:
        define = f"-DCAPABILITY={capability}"
        for name in kernels:
            compiled = f"{Path(name).stem}.{capability}.o"
            units.append(
                Unit(f"cpu/{name}", compiled, (*_KERNEL, define, *_CAPABILITIES[capability]))
            )
    return tuple(units)


def _cuda_units(sources: Path, architectures: tuple[str, ...]) -> tuple[Unit, ...]:
    flags = (*_CUDA, *(flag for name in architectures for flag in _code_for(name)))
    names = sorted(path.name for path in (sources / "cuda").glob("*.cu"))
    return tuple(Unit(f"cuda/{name}", f"{Path(name).stem}.o", flags) for name in names)


def _architectures() -> tuple[str, ...]:
    """GPUs to compile for: $TORCH_CUDA_ARCH_LIST, else the supported ones and an older one here."""
    listed = os.environ.get("TORCH_CUDA_ARCH_LIST")
    names = re.split(r"[;,\s]+", (listed or _ARCHITECTURES).strip())
    for name in names:
        if not re.fullmatch(r"\d+\.\d[af]?(\+PTX)?", name):
            raise BuildError(
                f"TORCH_CUDA_ARCH_LIST is {listed!r}; it lists numbers such as {_ARCHITECTURES!r}"
            )
    if not listed and torch.cuda.is_available():
        here = torch.cuda.get_device_capability()
        if here < (8, 0):
            names.insert(0, f"{here[0]}.{here[1]}")
    return tuple(names)


def _code_for(architecture: str) -> list[str]:
    number = architecture.removesuffix("+PTX").replace(".", "")
    flags = [f"-gencode=arch=compute_{number},code=sm_{number}"]
    if architecture.endswith("+PTX"):
        flags.append(f"-gencode=arch=compute_{number},code=compute_{number}")
    return flags
