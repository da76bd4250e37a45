"""How much longer a rewrite takes beside other work, as one JSON line.

    python -m experiments.bench_load [--repeats 3] [--steps 20]

A short rewrite runs in turn on the idle machine, beside as many busy processes as there are
processors, and both once more with threads that are left to spin (GOMP_SPINCOUNT, by which the
user has the last word); of the latter, the busy one takes minutes and runs once. `busy_over_idle`
should be at most 2.5, `idle_over_spinning` at most 1.05; both are made of medians. Run it on a
machine that does nothing else: the load average before each repeat is printed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import torch

from experiments.tables.provenance import commit, hardware

ROOT = Path(__file__).parents[1]
_USUAL_SPINS = "300000"  # GNU OpenMP's default


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that never wait."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def seconds(steps: int, busy: int, spinning: bool) -> float:
    """How long a rewrite of so many steps takes beside so many busy processes."""
    environment = {**os.environ, "REGEN_PROGRESS": "off", "PYTHONPATH": str(ROOT)}
    environment |= {"GOMP_SPINCOUNT": _USUAL_SPINS} if spinning else {}
    edits = str(ROOT / "examples" / "eyes.json")
    with tempfile.TemporaryDirectory() as folder, busy_processes(busy):
        command = [sys.executable, "-m", "regen", "rewrite", "--edits", edits, "-o", folder]
        began = time.perf_counter()
        subprocess.run(
            [*command, "--steps", str(steps), "--device", "cpu"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.perf_counter() - began


@click.command()
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=20, show_default=True)
def main(repeats: int, steps: int) -> None:
    """Measure, and print one line."""
    processors = os.cpu_count() or 1
    cases = {
        "idle": (0, False),
        "busy": (processors, False),
        "idle_spinning": (0, True),
        "busy_spinning": (processors, True),
    }
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for repeat in range(repeats):
        load = os.getloadavg()[0]
        for name, (busy, spinning) in cases.items():
            if repeat == 0 or name != "busy_spinning":
                taken[name].append(seconds(steps, busy, spinning))
        line = ", ".join(f"{name} {times[-1]:.1f} s" for name, times in taken.items())
        click.echo(f"repeat {repeat}, load average {load:.1f}: {line}", err=True)
    median = {name: statistics.median(times) for name, times in taken.items()}
    result = {
        "busy_over_idle": round(median["busy"] / median["idle"], 2),
        "busy_over_idle_spinning": round(median["busy_spinning"] / median["idle_spinning"], 2),
        "idle_over_spinning": round(median["idle"] / median["idle_spinning"], 3),
        "seconds": {name: [round(t, 1) for t in times] for name, times in taken.items()},
        "steps": steps,
    }
    made = {"commit": commit(), "hardware": hardware(), "torch": torch.__version__}
    click.echo(json.dumps({**result, **made}))


if __name__ == "__main__":
    main()
