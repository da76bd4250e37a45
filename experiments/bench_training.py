"""How fast a generator trains on the processor, and how much memory it takes, as one JSON line.

    python -m experiments.bench_training

Each number is measured in a process of its own: images per second of whole steps (generator and
discriminator) at 64x64 with and without regularisers, the gain of a second process under torchrun
with one thread each, and the peak memory of a 256x256 step at batch 4, regularisers included.
Run it on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from experiments.tables.provenance import commit, hardware
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator_init import (
    initialize_discriminator,
)
from regen.generators.stylegan2.training.precision import training_dtype
from regen.generators.stylegan2.training.settings import TrainingSettings, architecture_preset
from regen.generators.stylegan2.training.trainer import Trainer
from regen.training.distributed import Workers, workers
from regen.training.environment import is_first
from stylegan2_ops import implementation

ROOT = Path(__file__).parents[1]
_SECONDS, _FEWEST = 6.0, 3  # of a process without regularisers, so that all end within minutes
CPU = torch.device("cpu")
ARCHITECTURE = StyleGAN2Config(
    resolution=64, z_dim=128, w_dim=128, channel_base=4096, channel_max=128, mapping_layers=3
)


def trainer(
    config: StyleGAN2Config, group: Workers, *, batch: int, lazy: bool, precision: str
) -> Trainer:
    """A trainer on noise, in its first step."""
    plain = TrainingSettings.preset(config.resolution)
    settings = replace(plain, batch_images=batch)
    if not lazy:
        settings = replace(settings, r1_gamma=0.0, path_length_weight=0.0)
    shape = (64, 3, config.resolution, config.resolution)
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    return Trainer(
        StyleGAN2(config),
        initialize_discriminator(config, None, group=4, seed=1).discriminator,
        Dataset(images, seed=0, flip_probability=0.5, device=CPU),
        settings,
        group,
        training_dtype(precision, CPU),  # type: ignore[arg-type]
    )


def images_per_second(batch: int, steps: int, lazy: bool, precision: str) -> float:
    """Whole steps; the median of the steps, or with regularisers the mean over whole rounds."""
    with workers(CPU) as group:
        made = trainer(ARCHITECTURE, group, batch=batch, lazy=lazy, precision=precision)
        for _ in range(3):
            made.step()
        seconds: list[float] = []
        while len(seconds) < steps:
            total = torch.tensor(float(sum(seconds)))
            spent = float(group.average(total))  # all processes stop together
            if spent > _SECONDS and len(seconds) >= _FEWEST and not lazy:
                break
            group.wait()
            began = time.perf_counter()
            made.step()
            seconds.append(time.perf_counter() - began)
    return batch / (statistics.mean(seconds) if lazy else statistics.median(seconds))


def peak_memory_gb(precision: str) -> float:
    """Of two steps at 256x256, batch 4, of which the first has both regularisers."""
    made = trainer(architecture_preset(256), Workers(), batch=4, lazy=True, precision=precision)
    for _ in range(2):
        made.step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measured(processes: int, threads: int, *words: str) -> float:
    """What this program's `--worker` measures in fresh processes."""
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    command = [sys.executable, "-m", *(launcher if processes > 1 else [])]
    command += ["experiments.bench_training", "--worker", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=1800
    )
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return float(ran.stdout.strip().splitlines()[-1])


@click.command()
@click.option("--worker", is_flag=True, hidden=True)
@click.option("--memory", is_flag=True, hidden=True)
@click.option("--lazy", is_flag=True, hidden=True)
@click.option("--batch", type=int, default=16, hidden=True)
@click.option("--steps", type=int, default=16, show_default=True, help="Steps that are timed.")
@click.option("--rounds", type=int, default=2, show_default=True, help="Of each pair compared.")
@click.option("--threads", type=int, default=2, show_default=True, help="Of a single process.")
@click.option("--precision", default="auto", show_default=True)
def main(
    worker: bool,
    memory: bool,
    lazy: bool,
    batch: int,
    steps: int,
    rounds: int,
    threads: int,
    precision: str,
) -> None:
    """Measure, and print one line."""
    if worker:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        number = (
            peak_memory_gb(precision)
            if memory
            else images_per_second(batch, steps, lazy, precision)
        )
        if is_first():
            click.echo(number)
        return
    common = ["--precision", precision, "--steps", str(steps)]
    fast = max(measured(1, threads, *common) for _ in range(rounds))
    pairs = [(measured(1, 1, *common), measured(2, 1, *common)) for _ in range(rounds)]
    both = [(one, measured(2, 1, *common, "--batch", "32")) for one, _ in pairs]
    result: dict[str, Any] = {
        "images_per_second": round(fast, 2),
        "images_per_second_with_regularisers": round(
            measured(1, threads, *common[:2], "--steps", "16", "--lazy"), 2
        ),
        "two_processes_over_one": round(statistics.median(two / one for one, two in pairs), 3),
        "two_processes_over_one_batch_each": round(
            statistics.median(two / one for one, two in both), 3
        ),
        "peak_memory_gb_256_batch_4": round(
            measured(1, threads, "--precision", precision, "--memory"), 2
        ),
        "threads": threads,
        "precision": str(training_dtype(precision, CPU)),  # type: ignore[arg-type]
        "operators": implementation().name,
        "generator_parameters": sum(p.numel() for p in StyleGAN2(ARCHITECTURE).parameters()),
        "commit": commit(),
        "hardware": hardware(),
        "torch": torch.__version__,
    }
    click.echo(json.dumps(result))


if __name__ == "__main__":
    main()
