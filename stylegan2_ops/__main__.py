"""``python -m stylegan2_ops build`` compiles the kernels; ``info`` says what runs and why."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial

import torch

from stylegan2_ops import _cache, _library
from stylegan2_ops._build import build
from stylegan2_ops._dispatch import implementation
from stylegan2_ops._plan import DEVICES, plan
from stylegan2_ops._toolchain import BuildError, ToolMissingError, find_cuda, find_cxx


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 1 if it failed. A misspelt one exits with 2."""
    given = _parser().parse_args(arguments)
    if given.command == "info":
        return _info()
    for device in _devices(given):
        try:
            _build(device, given)
        except ToolMissingError as error:
            if device == "cuda" and not given.cuda:
                print(f"cuda: not built: {error}")
                continue
            return _failed(device, error)
        except BuildError as error:
            return _failed(device, error)
    return 0


def _devices(given: argparse.Namespace) -> tuple[str, ...]:
    """What to build for; GPUs where one is here or they are asked for."""
    if given.cpu or given.cuda:
        return ("cpu",) if given.cpu else ("cuda",)
    if given.all or torch.cuda.is_available():
        return DEVICES
    print("cuda: not built: there is no GPU here (--cuda compiles the kernels all the same)")
    return ("cpu",)


def _failed(device: str, error: BuildError) -> int:
    print(f"{device}: plain torch operators will run, slower: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stylegan2_ops", description="The compiled operators of StyleGAN2."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser(
        "build",
        help="compile the kernels for this machine",
        description="Compile the kernels for this machine into a cache: for its processor, and "
        "for GPUs where there is one and the nvcc found is of the major version of torch's CUDA.",
        epilog="Environment: CXX names the C++ compiler, CUDA_HOME the CUDA toolkit, "
        "TORCH_CUDA_ARCH_LIST the GPUs, STYLEGAN2_OPS_CACHE the cache.",
    )
    only = builder.add_mutually_exclusive_group()
    only.add_argument("--cpu", action="store_true", help="only for the CPU")
    only.add_argument("--cuda", action="store_true", help="only for GPUs; an error if that cannot")
    only.add_argument(
        "--all",
        action="store_true",
        help="for all processors of this kind and, where there is an nvcc, for GPUs",
    )
    builder.add_argument("--force", action="store_true", help="compile even what is compiled")
    builder.add_argument("--verbose", action="store_true", help="print the compilers' commands")
    commands.add_parser("info", help="say what runs, why, and what could be compiled here")
    return parser


def _build(device: str, given: argparse.Namespace) -> None:
    """Build the library of a device, load it, and say so."""
    todo = plan(device, every_processor=given.all)
    start = time.monotonic()
    say = partial(print, flush=True)
    built = build(todo, force=given.force, verbose=given.verbose, say=say)
    library = _library.load(device)
    if isinstance(library, _library.Missing):
        raise BuildError(f"{library.why}; run {library.remedy}")
    took = f"built in {time.monotonic() - start:.0f} s" if built.fresh else "was built already"
    print(f"{device}: {took}; {library.runs_on} kernels of {library.path}")


def _info() -> int:
    print(f"torch     {torch.__version__}")
    for device in DEVICES:
        try:
            found = implementation(device=device)
        except (RuntimeError, ValueError) as error:
            print(f"{device:8}  none: {error}")
            continue
        print(f"{device:8}  {found.name}: {found.reason}")
        if found.remedy:
            print(f"{'':8}  -> {found.remedy}")
    tools: dict[str, Callable[[], str]] = {
        "compiler": lambda: find_cxx().version,
        "nvcc": _nvcc,
    }
    for tool, find in tools.items():
        try:
            print(f"{tool:8}  {find()}")
        except ToolMissingError as error:
            print(f"{tool:8}  none: {error}")
    try:
        print(f"cache     {_cache.folder()}")
    except BuildError as error:
        print(f"cache     none: {error}")
    return 0


def _nvcc() -> str:
    toolkit = find_cuda()
    return f"CUDA {toolkit.release} in {toolkit.folder}"


if __name__ == "__main__":
    sys.exit(main())
