"""What can compile on this machine: a C++ compiler and, for CUDA, an nvcc that agrees with torch.

Paths prove nothing, since wrappers and links are common: a compiler is a program that runs with
``--version``, and nvcc itself reports the folder of its toolkit.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch


class BuildError(RuntimeError):
    """The kernels cannot be built; the message says why and what to do."""


class ToolMissingError(BuildError):
    """The kernels cannot be built on this machine because a tool is missing or does not fit."""


@dataclass(frozen=True)
class Compiler:
    """A compiler that runs.

    Attributes:
        command: How to call it; several words for the likes of ``ccache g++``.
        version: What it says about itself, in one line.
    """

    command: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class Toolkit:
    """A CUDA toolkit.

    Attributes:
        nvcc: Its compiler.
        folder: Its folder, as reported by nvcc.
        release: Version of CUDA, such as "13.0".
    """

    nvcc: Compiler
    folder: Path
    release: str


def find_cxx() -> Compiler:
    """The C++ compiler: $CXX if that is set, else the first of c++, g++ and clang++ that runs.

    Raises:
        ToolMissingError: If there is none, or the one named by $CXX does not run.
    """
    if sys.platform == "win32":
        raise ToolMissingError("the kernels cannot be built on Windows yet")
    named = os.environ.get("CXX")
    for words in [shlex.split(named)] if named else [["c++"], ["g++"], ["clang++"]]:
        version = _output_of([*words, "--version"])
        if version:
            return Compiler(tuple(words), version.splitlines()[0].strip())
    if named:
        raise ToolMissingError(f"CXX is {named!r}, which does not run; unset or correct it")
    raise ToolMissingError(
        "no C++ compiler found (c++, g++ or clang++); install one, or name it with CXX"
    )


def find_cuda() -> Toolkit:
    """The CUDA toolkit to compile with: nvcc of $CUDA_HOME if that is set, else of the PATH.

    Raises:
        ToolMissingError: If torch has no CUDA, no nvcc is found, or their major versions differ.
    """
    wanted = torch.version.cuda
    if wanted is None:
        raise ToolMissingError(f"torch {torch.__version__} is built without CUDA")
    home = os.environ.get("CUDA_HOME")
    command = str(Path(home, "bin", "nvcc")) if home else "nvcc"
    version = _output_of([command, "--version"])
    release = re.search(r"^.*\brelease (\d+\.\d+).*$", version, re.MULTILINE)
    if release is None:
        where = f"at {command} (CUDA_HOME is set)" if home else "on the PATH, and no CUDA_HOME"
        raise ToolMissingError(f"no nvcc {where}; install the CUDA toolkit {wanted.split('.')[0]}")
    if release[1].split(".")[0] != wanted.split(".")[0]:
        raise ToolMissingError(
            f"nvcc is of CUDA {release[1]} and torch of CUDA {wanted}; "
            f"install a CUDA toolkit {wanted.split('.')[0]}, or name one with CUDA_HOME"
        )
    nvcc = Compiler((command,), release[0].strip())
    return Toolkit(nvcc, _toolkit_folder(command), release[1])


def _toolkit_folder(nvcc: str) -> Path:
    """A dry run prints the lines ``#$ _HERE_=FOLDER/bin`` and ``#$ TOP=FOLDER/bin/..``."""
    settings = _output_of([nvcc, "--dryrun", "-x", "cu", os.devnull, "-c", "-o", os.devnull])
    for pattern in (r"^#\$ TOP=(.+)$", r"^#\$ _HERE_=(.+)$"):
        found = re.search(pattern, settings, re.MULTILINE)
        if found:
            folder = Path(found[1].strip()).resolve()
            return folder.parent if folder.name == "bin" else folder
    raise ToolMissingError(f"{nvcc} does not report where its toolkit is; name it with CUDA_HOME")


def _output_of(command: Sequence[str]) -> str:
    """What a command prints (both streams), or nothing if it cannot run or fails."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""
