"""Is everything right on this GPU, and how fast is it? One line of JSON, within a minute.

    python -m experiments.gpu_check        (make gpu-check)

Parity: the compiled operators beside the reference in float64; recorded training steps beside the
same steps called one by one, from equal states. Speed: training steps at 256x256 and batch 32,
recorded; the generator at 1024x1024, recorded, batches of 1 and 8. Each part has a share of the
minute and stops in time. `bars` says what an H100 should reach.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from experiments.bench_cuda import CHANNELS, DTYPES, LAYOUTS, PARITY_SIDE, operators, parity
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.latent import StyleLatent
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator_init import initialize_discriminator
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.trainer import Trainer
from regen.precision import compute_dtype
from regen.training.distributed import Workers
from regen.training.graphs import Graphs, Outputs, graphs_for
from stylegan2_ops import implementation
from stylegan2_ops._dispatch import use

SECONDS = {"operators": 10.0, "steps": 8.0, "training": 14.0, "generator": 4.0}
BARS = {
    "training256_batch32_images_per_s": 650,
    "generator1024_batch1_fp16_images_per_s": 150,
    "generator1024_batch8_fp16_images_per_s": 450,
}


def operators_error(seconds: float, device: str) -> dict[str, Any]:
    """The largest error by format, over as many operators and layouts as fit the time."""
    began, errors = time.monotonic(), dict.fromkeys(DTYPES, 0.0)
    cases = [
        (layout, name, dtype)
        for layout in LAYOUTS.values()
        for name in operators(PARITY_SIDE, device)
        for dtype in DTYPES
    ]
    every, done = operators(PARITY_SIDE, device), 0
    with use("compiled"):
        for layout, name, dtype in cases:
            if time.monotonic() - began > seconds:
                break
            side, run = every[name]
            x = torch.randn(1, CHANNELS, side, side, device=device).to(DTYPES[dtype])
            found = parity(run, x.contiguous(memory_format=layout))
            errors[dtype] = max(errors[dtype], *found.values())
            done += 1
    return {"largest": errors, "cases": f"{done} of {len(cases)}"}


def trainer(
    side: int,
    batch: int,
    graphs: Graphs | None,
    device: torch.device,
    *,
    path_lengths: bool = True,
) -> Trainer:
    """A trainer on noise, before its first step; the architecture is that of the London faces."""
    config = StyleGAN2Config(
        resolution=side,
        z_dim=256,
        w_dim=256,
        channel_base=8192,
        channel_max=256,
        conv_clamp=256.0,
    )
    torch.manual_seed(0)
    settings = replace(TrainingSettings.preset(side), batch_images=batch)
    if not path_lengths:
        settings = replace(settings, path_length_weight=0.0)
    images = torch.randint(0, 256, (256, 3, side, side), dtype=torch.uint8)
    judge = initialize_discriminator(config, None, group=4, seed=1).discriminator
    data = Dataset(images, seed=0, flip_probability=0.5, device=device)
    generator, dtype = StyleGAN2(config).to(device), compute_dtype("auto", device)
    return Trainer(generator, judge, data, settings, Workers(), dtype, graphs)


def recorded_error(seconds: float, device: torch.device, side: int = 64) -> dict[str, float]:
    """How far losses of recorded steps are from those of called ones, relative.

    The first steps have both regularisers among them. What differs is the order of sums.
    """
    plain, recorded = (trainer(side, 8, g, device) for g in (Graphs(None), None))
    began, largest, steps = time.monotonic(), 0.0, 0
    while steps < 6 and time.monotonic() - began < seconds:
        wanted, found = plain.step(), recorded.step()
        errors = (abs(found[name] - wanted[name]) / (1 + abs(wanted[name])) for name in wanted)
        largest, steps = max(largest, *errors), steps + 1
    return {"largest": largest, "steps": steps}


def training_speed(seconds: float, device: torch.device, side: int, batch: int) -> dict[str, Any]:
    """Images a second of whole steps as the London faces train, and how long recording took.

    R1 is included, path lengths are not.
    """
    made = trainer(side, batch, None, device, path_lengths=False)
    began = time.monotonic()
    for _ in range(2):
        made.step()
    start, done = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        made.step()  # gives its losses as numbers, so the GPU has finished
        done += 1
    rate = done * batch / (time.monotonic() - start)
    return {"images_per_s": round(rate, 1), "first_two_steps_s": round(start - began, 2)}


@torch.no_grad()
def generator_speed(seconds: float, device: torch.device, side: int) -> dict[str, float]:
    """Images a second of a configuration-f generator by batch and format, recorded."""
    config = StyleGAN2Config(resolution=side, conv_clamp=256.0)
    generator = StyleGAN2(config).to(device).eval()
    noise = tuple(generator.conv(i).noise_const for i in range(1, generator.convolutions + 1))
    rates = {}
    for batch in (1, 8):
        ws = torch.randn(batch, generator.convolutions + 1, config.w_dim, device=device)
        for name, dtype in DTYPES.items():
            call = partial(graphs_for(device).run, "generator", _images(generator, noise), ws)
            with generator.computing_in(dtype):
                rate = _rate(call, seconds)
            rates[f"batch{batch}_{name}_images_per_s"] = round(rate * batch, 1)
    return rates


def _images(generator: StyleGAN2, noise: tuple[Tensor, ...]) -> Callable[[Tensor], Outputs]:
    return lambda ws: (generator(StyleLatent(ws, noise)),)


def _rate(call: Callable[[], object], seconds: float) -> float:
    """Calls a second, the median of five stretches."""
    call()
    rates = []
    for _ in range(5):
        _wait()
        start, done = time.monotonic(), 0
        while time.monotonic() - start < seconds / 6 / 5:
            call()
            _wait()
            done += 1
        rates.append(done / (time.monotonic() - start))
    return statistics.median(rates)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def main() -> None:
    """Check, time, print."""
    if not torch.cuda.is_available():
        sys.exit("no GPU on this machine: nothing was checked")
    began, device = time.monotonic(), torch.device("cuda")
    result: dict[str, Any] = {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "runs": implementation("compiled", "cuda").reason,
    }
    parts: dict[str, Callable[[], object]] = {
        "operators": lambda: operators_error(SECONDS["operators"], "cuda"),
        "steps": lambda: recorded_error(SECONDS["steps"], device),
        "training256_batch32": lambda: training_speed(SECONDS["training"], device, 256, 32),
        "generator1024": lambda: generator_speed(SECONDS["generator"], device, 1024),
    }
    for name, part in parts.items():
        try:
            result[name] = part()
        except RuntimeError as error:  # the other parts are worth knowing all the same
            result[name] = f"failed: {str(error).splitlines()[0]}"
        print(name, result[name], f"[{time.monotonic() - began:.0f} s]", file=sys.stderr)
    print(json.dumps({**result, "bars": BARS, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
