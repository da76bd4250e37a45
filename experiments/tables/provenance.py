"""What must stand beside every number: command, commit, settings, seeds, hardware, software."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from regen.files.as_json import to_json
from regen.precision import compute_dtype
from regen.runs.timing import peak_memory_mb

ROOT = Path(__file__).resolve().parents[2]


def provenance(module: str, settings: object, lpips: Mapping[str, Any]) -> dict[str, Any]:
    """Everything a reader needs to repeat or to doubt a table.

    Args:
        module: The module that was run, "experiments.table1_projector" for instance.
        settings: Of the table, seeds included.
        lpips: From `regen.metrics.describe_lpips`.
    """
    return {
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "commit": commit(),
        "settings": to_json(settings),
        "lpips": dict(lpips),
        "hardware": hardware(),
        "software": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scipy", "lpips")},
        },
    }


def commit() -> str | None:
    """The commit of the working tree, with "+" behind it if sources differ; None outside of git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "*.py", "*.safetensors", "setup.cfg")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def hardware() -> dict[str, Any]:
    """Processor, cores, threads in use, and graphics card."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), name)
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "auto_precision": str(compute_dtype("auto", torch.device("cpu"))).removeprefix("torch."),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


@dataclass
class Peak:
    """The most memory held inside a `peak_memory` block, in 10^6 bytes; None until it ends."""

    megabytes: float | None = None


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the most memory that the process holds inside the block.

    On Linux the kernel's high-water mark is reset first, so that a row is not charged for the rows
    before it. Elsewhere the number is the most that the process has held since it started. What
    every row shares (interpreter, torch, generator, images to compare with) is part of it. On a
    GPU, what torch allocated there is added.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # freed memory of earlier rows goes back
    reset = False
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        reset = True
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    peak = Peak()
    try:
        yield peak
    finally:
        peak.megabytes = _high_water_mark() if reset else peak_memory_mb()
        if torch.cuda.is_available() and peak.megabytes is not None:
            peak.megabytes += torch.cuda.max_memory_allocated() / 1e6


def _high_water_mark() -> float | None:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    return peak_memory_mb()
