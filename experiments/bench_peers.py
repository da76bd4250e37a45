"""The same work by regen, by NVIDIA's reference path and by rosinality's code, in one run.

    python -m experiments.bench_peers --nvidia DIR --rosinality DIR [--repeats 5]

DIR are checkouts of github.com/NVlabs/stylegan2-ada-pytorch and
github.com/rosinality/stylegan2-pytorch, which belong to their owners and are only run; one that is
not given, or not there, is skipped with a line. All compute in float32 on the processor, where both
take the path that needs no compiled extension. Architectures and shapes are equal: configuration f
(at 64 with half as many channels at the largest resolution, and no regularisers).

Prints a table of milliseconds and of ratios to regen, and one JSON line last. Every number is a
median of repeats that took turns.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import torch
from torch import Tensor, nn
from torch.utils import cpp_extension

from experiments.bench_ops import BLUR, synthesis_with_noise, take_turns
from experiments.tables.provenance import commit, hardware
from regen.allocator import keep_freed_memory
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.latent import StyleLatent
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.losses import discriminator_loss, generator_loss
from stylegan2_ops import bias_act, upfirdn2d

SIDES = (256, 1024)  # of the generators
BATCH, TRAINED_SIDE, TRAINED_BASE = 4, 64, 16384  # of the training step
Work = dict[str, Callable[[], object]]  # by task


def ours() -> Work:
    """What regen does."""
    work: Work = {}
    for side in SIDES:
        config = StyleGAN2Config(resolution=side)
        network = synthesis_with_noise(config)
        ws = torch.randn(1, config.convolutions + 1, config.w_dim)
        noise = [network.convs[str(i)].noise_const for i in range(1, config.convolutions + 1)]
        work[f"generator {side}"] = partial(network, ws, noise, torch.float32)
    config = StyleGAN2Config(resolution=TRAINED_SIDE, channel_base=TRAINED_BASE)
    generator, judge = StyleGAN2(config).train(), Discriminator(config).train()

    def fake() -> Tensor:
        layers = range(1, config.convolutions + 1)
        sides = [config.resolution_of(layer) for layer in layers]
        noise = tuple(torch.randn(BATCH, 1, s, s) for s in sides)
        z = torch.randn(BATCH, config.z_dim)
        images: Tensor = generator(StyleLatent(generator.style_codes(z), noise))
        return images

    work["training step 64"] = _training_step(generator, judge, fake)
    x, b = _features()
    work["blur"] = lambda: upfirdn2d(x, BLUR, padding=1)
    work["bias_act"] = lambda: bias_act(x, b, act="lrelu")
    return work


def nvidia(folder: Path) -> Work:
    """What NVIDIA's code does with tensors on the processor, its reference path."""
    with _importing(folder):
        networks = importlib.import_module("training.networks")
        up = importlib.import_module("torch_utils.ops.upfirdn2d")
        act = importlib.import_module("torch_utils.ops.bias_act")
    work: Work = {}
    for side in SIDES:
        network = networks.SynthesisNetwork(w_dim=512, img_resolution=side, img_channels=3).eval()
        ws = torch.randn(1, network.num_ws, 512)
        work[f"generator {side}"] = partial(network, ws, noise_mode="const")
    size: Any = {"img_resolution": TRAINED_SIDE, "img_channels": 3, "c_dim": 0}
    generator = networks.Generator(
        z_dim=512, w_dim=512, synthesis_kwargs={"channel_base": TRAINED_BASE}, **size
    ).train()
    judge = networks.Discriminator(channel_base=TRAINED_BASE, **size).train()

    def fake() -> Tensor:
        images: Tensor = generator(torch.randn(BATCH, 512), None)
        return images

    work["training step 64"] = _training_step(generator, lambda x: judge(x, None), fake, judge)
    x, b = _features()
    f = up.setup_filter([1, 3, 3, 1])
    work["blur"] = lambda: up.upfirdn2d(x, f, padding=[1, 1, 1, 1])
    work["bias_act"] = lambda: act.bias_act(x, b, act="lrelu")
    return work


def rosinality(folder: Path) -> Work:
    """What rosinality's code does with tensors on the processor."""
    with _importing(folder):
        model = importlib.import_module("model")
        op = importlib.import_module("op")
    work: Work = {}
    for side in SIDES:
        network = model.Generator(side, 512, 8).eval()
        ws = torch.randn(1, network.n_latent, 512)
        work[f"generator {side}"] = partial(
            network, [ws], input_is_latent=True, randomize_noise=False
        )
    generator = model.Generator(TRAINED_SIDE, 512, 8, channel_multiplier=1).train()
    judge = model.Discriminator(TRAINED_SIDE, channel_multiplier=1).train()

    def fake() -> Tensor:
        images: Tensor = generator([torch.randn(BATCH, 512)])[0]
        return images

    work["training step 64"] = _training_step(generator, judge, fake)
    x, b = _features()
    f = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = f[:, None] * f[None, :] / 64
    work["blur"] = lambda: op.upfirdn2d(x, kernel, pad=(1, 1))
    work["bias_act"] = lambda: op.fused_leaky_relu(x, b)
    return work


def _features() -> tuple[Tensor, Tensor]:
    """What blur and bias_act are given, ``[1, 32, 512, 512]``, and a bias."""
    random = torch.Generator().manual_seed(0)
    return torch.randn(1, 32, 512, 512, generator=random), torch.randn(32, generator=random)


def _training_step(
    generator: nn.Module,
    judge: Callable[[Tensor], Tensor],
    fake: Callable[[], Tensor],
    network: nn.Module | None = None,
) -> Callable[[], None]:
    """One step of both networks with Adam, on noise; `network` is `judge` where that is a call."""
    network = network or judge  # type: ignore[assignment]
    assert isinstance(network, nn.Module)
    steps = [
        torch.optim.Adam(each.parameters(), lr=0.002, betas=(0.0, 0.99))
        for each in (generator, network)
    ]
    real = torch.randn(BATCH, 3, TRAINED_SIDE, TRAINED_SIDE)

    def step() -> None:
        with torch.enable_grad():
            images = fake()
            network.requires_grad_(False)
            _descend(generator_loss(judge(images)), steps[0])
            network.requires_grad_(True)
            shown = judge(torch.cat([real, images.detach()])).chunk(2)
            _descend(discriminator_loss(*shown), steps[1])

    return step


def _descend(loss: Tensor, optimizer: torch.optim.Adam) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


@contextmanager
def _importing(folder: Path) -> Iterator[None]:
    """Modules are found in `folder`; none of them compiles, since nothing compiled would run."""
    load, before = cpp_extension.load, list(sys.path)
    sys.path.insert(0, str(folder))
    cpp_extension.load = lambda name, **_: ModuleType(name)
    try:
        yield
    finally:
        cpp_extension.load, sys.path[:] = load, before


def _there(folder: Path | None, name: str, file: str) -> bool:
    if folder is not None and (folder / file).is_file():
        return True
    where = "no folder given" if folder is None else f"{folder} has no {file}"
    click.echo(f"{name}: skipped, {where}", err=True)
    return False


def table(medians: dict[str, dict[str, float]]) -> str:
    """Milliseconds of each task, and how many times as long as regen the others take, Markdown."""
    names = list(next(iter(medians.values())))
    lines = [f"| float32 | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for task, times in medians.items():
        cells = [f"{times['regen']:.3g} ms"]
        for name in names[1:]:
            cells.append(f"{times[name]:.3g} ms ({times[name] / times['regen']:.2f})")
        lines.append(f"| {task} | {' | '.join(cells)} |")
    return "\n".join(lines)


def same_results(work: dict[str, Work]) -> None:
    """Refuse to compare operators that do not compute the same."""
    for task in ("blur", "bias_act"):
        expected = work["regen"][task]()
        for name, other in work.items():
            found = other[task]()
            assert isinstance(found, Tensor) and isinstance(expected, Tensor)
            if not torch.allclose(found, expected, atol=1e-5):
                raise click.ClickException(f"{name} computes another {task}")


@click.command()
@click.option("--nvidia", "nvidia_folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--rosinality", "rosinality_folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@torch.no_grad()
def main(nvidia_folder: Path | None, rosinality_folder: Path | None, repeats: int) -> None:
    """Print a table, and one JSON line last."""
    keep_freed_memory()
    torch.manual_seed(0)
    work = {"regen": ours()}
    if _there(nvidia_folder, "NVIDIA", "training/networks.py"):
        assert nvidia_folder is not None
        work["NVIDIA, reference path"] = nvidia(nvidia_folder)
    if _there(rosinality_folder, "rosinality", "model.py"):
        assert rosinality_folder is not None
        work["rosinality"] = rosinality(rosinality_folder)
    same_results(work)
    load, began = os.getloadavg()[0], time.perf_counter()
    medians = {
        task: take_turns(repeats, {name: tasks[task] for name, tasks in work.items()})
        for task in work["regen"]
    }
    click.echo(table(medians))
    made = {"date": date.today().isoformat(), "commit": commit(), "hardware": hardware()}
    taken = {"load_average": round(load, 2), "seconds": round(time.perf_counter() - began)}
    rounded = {t: {n: round(v, 2) for n, v in m.items()} for t, m in medians.items()}
    click.echo(json.dumps({"ms": rounded, "torch": torch.__version__, **taken, **made}))


if __name__ == "__main__":
    main()
