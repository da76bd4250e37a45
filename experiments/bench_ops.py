"""How fast the operators are beside copies, convolutions alone and their reference.

    python -m experiments.bench_ops [--repeats 15] [--profile FILE]

Prints one JSON line last, within four minutes on two cores; formats that the processor would only
emulate are left out. Every ratio is made of medians of repeats that took turns in this one
process, so that a noisy machine slows both sides alike. As in the commands of regen, freed memory
is kept, so that copies (`clone`) and operators write to memory in use; `fresh_copy_ms` is the same
copy with the system's default allocator.

    *_vs_copy                    operator / clone of its output
    blur_vs_reference_speedup    the package's reference (a depthwise convolution) / compiled
    blur_vs_textbook_speedup     one convolution of single channels, as it is usually written
                                 in plain PyTorch / compiled
    generator*_vs_convs          the whole synthesis network / its bare convolutions by torch: same
                                 shapes, precision and layout, weights ready in that precision
    generator1024_bf16_psnr_db   of the bf16 image against the fp32 one, whose range is the peak
    convolution_*_speedup        3x3 convolutions, fp32 and channels_last: torch's / compiled; this
                                 and the next whether or not operators use the kernel here
    weight_gradient_speedup      of 3x3 convolutions of 64 channels at 64, fp32: torch's / compiled
    train_step_speedup           forward and backward of the bundled generator, batch 16, fp32:
                                 reference operators / compiled ones; train_step_bf16_speedup too
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
import torch.nn.functional as F
from torch import Tensor

from experiments.sections import with_section
from experiments.tables.provenance import commit, hardware
from regen.allocator import keep_freed_memory
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import load_stylegan2
from regen.generators.stylegan2.network import StyledConvolution, Synthesis
from regen.precision import worth_measuring
from stylegan2_ops import bias_act, filter_from_taps, implementation, upfirdn2d, upsample2d
from stylegan2_ops._dispatch import use

LAST = torch.channels_last
DTYPES = worth_measuring(torch.device("cpu"))
BLUR = filter_from_taps([1, 3, 3, 1])
PROFILE = "Where the time goes, per operator, before and after compiling"
_FEWEST, _SECONDS = 3, 20.0

Medians = dict[str, float]


def take_turns(repeats: int, functions: dict[str, Callable[[], object]]) -> Medians:
    """Median milliseconds of functions that are called in turn.

    Args:
        repeats: Of each; fewer, but at least `_FEWEST`, where they would take longer than
            `_SECONDS` in all.
        functions: By name; each is called once more before, to warm up.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    began = time.perf_counter()
    for repeat in range(repeats + 1):
        if repeat > _FEWEST and time.perf_counter() - began > _SECONDS:
            break
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if repeat:
                seconds[name].append(time.perf_counter() - start)
    return {name: 1000 * statistics.median(times) for name, times in seconds.items()}


@torch.no_grad()
def operators(dtype: torch.dtype, repeats: int) -> Medians:
    """Blur and bias_act of 32 channels at 1024, upsampling of RGB to 1024, and copies."""
    x = torch.randn(1, 32, 1025, 1025, dtype=dtype).contiguous(memory_format=LAST)
    y = torch.randn(1, 32, 1024, 1024, dtype=dtype).contiguous(memory_format=LAST)
    b, rgb, large = torch.randn(32), torch.randn(1, 3, 512, 512, dtype=dtype), y[:, :3].clone()

    def blur() -> Tensor:
        return upfirdn2d(x, BLUR, padding=1)

    def reference() -> Tensor:
        with use("reference"):
            return blur()

    def textbook() -> Tensor:
        planes = F.pad(x.contiguous().reshape(32, 1, 1025, 1025), [1, 1, 1, 1])
        return F.conv2d(planes, BLUR.to(dtype).flip([0, 1])[None, None])

    return take_turns(
        repeats,
        {
            "copy": y.clone,
            "blur": blur,
            "bias_act": lambda: bias_act(y, b, act="lrelu", clamp=256.0),
            "rgb_copy": large.contiguous().clone,
            "upsample": lambda: upsample2d(rgb, BLUR),
            "blur_reference": reference,
            "blur_textbook": textbook,
        },
    )


@torch.no_grad()
def synthesis_with_noise(config: StyleGAN2Config) -> Synthesis:
    """A network of random weights whose noise is not 0."""
    torch.manual_seed(0)
    network = Synthesis(config).eval()
    for conv in network.convs.values():
        assert isinstance(conv, StyledConvolution)
        conv.noise_strength.fill_(0.1)
    return network


def bare_convolutions(
    config: StyleGAN2Config, batch: int, dtype: torch.dtype
) -> Callable[[], object]:
    """The network's convolutions and nothing else, their weights ready."""
    calls: list[tuple[Tensor, Tensor, bool]] = []
    inputs = config.channels(4)
    for layer in range(1, config.convolutions + 1):
        resolution, enlarges = config.resolution_of(layer), layer % 2 == 0
        outputs = config.channels(resolution)
        calls.append(_convolution(batch, inputs, outputs, resolution, 3, enlarges, dtype))
        if not enlarges:
            calls.append(_convolution(batch, outputs, 3, resolution, 1, False, dtype))
        inputs = outputs

    def run() -> None:
        for x, weight, enlarges in calls:
            if enlarges:
                F.conv_transpose2d(x, weight, stride=2)
            else:
                F.conv2d(x, weight, padding=weight.shape[-1] // 2)

    return run


def _convolution(
    n: int, inputs: int, outputs: int, size: int, k: int, enlarges: bool, dtype: torch.dtype
) -> tuple[Tensor, Tensor, bool]:
    size = size // 2 if enlarges else size
    channels = (inputs, outputs) if enlarges else (outputs, inputs)
    x, weight = torch.randn(n, inputs, size, size), torch.randn(*channels, k, k)
    return (
        x.to(dtype).contiguous(memory_format=LAST),
        weight.to(dtype).contiguous(memory_format=LAST),
        enlarges,
    )


@torch.no_grad()
def generator(resolution: int, batch: int, repeats: int, profile: Path | None) -> dict[str, Any]:
    """Times of a whole configuration-f network beside its convolutions, and the bf16 error."""
    config = StyleGAN2Config(resolution=resolution)
    network = synthesis_with_noise(config)
    ws = torch.randn(batch, config.convolutions + 1, config.w_dim)
    noise = [network.convs[str(i)].noise_const for i in range(1, config.convolutions + 1)]
    found: dict[str, Any] = {}
    for name, dtype in DTYPES.items():

        def whole(dtype: torch.dtype = dtype) -> Tensor:
            image: Tensor = network(ws, noise, dtype)
            return image

        def plain(run: Callable[[], Tensor] = whole) -> Tensor:
            with use("reference"):
                return run()

        bare = bare_convolutions(config, batch, dtype)
        found[name] = take_turns(repeats, {"convs": bare, "whole": whole})
        found[name]["reference"] = take_turns(3, {"reference": plain})["reference"]
        if profile is not None:
            for label, run in (("compiled", whole), ("reference", plain)):
                _profile(profile, f"{resolution} {name} {label}", run)
    exact = network(ws, noise, torch.float32)
    for name in DTYPES.keys() - {"fp32"}:
        error = (network(ws, noise, DTYPES[name]) - exact).square().mean()
        found["psnr_db"] = float(10 * torch.log10((exact.max() - exact.min()).square() / error))
    return found


def _profile(file: Path, title: str, run: Callable[[], object]) -> None:
    from torch.profiler import ProfilerActivity, profile

    run()
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        run()
    table = recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=14)
    text = file.read_text() if file.exists() else ""
    file.write_text(with_section(text, PROFILE, title, table))


CONVOLUTIONS = {  # samples, inputs, outputs, side of the input, stride, transposed
    "32_at_128": (4, 32, 32, 128, 1, False),
    "64_at_64": (4, 64, 64, 64, 1, False),
    "256_at_32": (4, 256, 256, 32, 1, False),
    "halving_64_to_128_at_65": (4, 64, 128, 65, 2, False),
    "enlarging_128_to_64_at_32": (4, 128, 64, 32, 2, True),
    "enlarging_256_to_128_at_128": (1, 256, 128, 128, 2, True),
}


@torch.no_grad()
def convolutions(repeats: int) -> dict[str, Medians]:
    """Convolutions by the kernels in tiles and by torch."""
    found = {}
    for name, (n, inputs, outputs, side, stride, transposed) in CONVOLUTIONS.items():
        x = torch.randn(n, inputs, side, side).to(memory_format=LAST)
        weight = torch.randn(outputs, inputs, 3, 3).to(memory_format=LAST)
        weight = weight.transpose(0, 1) if transposed else weight
        convolve = F.conv_transpose2d if transposed else F.conv2d
        where: dict[str, Any] = {"stride": stride, "padding": 1 if stride == 1 else 0}
        tiles = (x, weight, None, *where.values(), transposed)
        found[name] = take_turns(
            repeats,
            {
                "compiled": partial(torch.ops.stylegan2_ops.convolution, *tiles),
                "torch": partial(convolve, x, weight, **where),
            },
        )
    return found


def weight_gradients(repeats: int) -> Medians:
    """The weight's gradient of a convolution of 8 samples, channels_last."""
    x, dy = (torch.randn(8, 64, 64, 64).to(memory_format=LAST) for _ in range(2))
    weight = torch.randn(64, 64, 3, 3).to(memory_format=LAST)
    y = F.conv2d(x, weight.requires_grad_(), padding=1)
    return take_turns(
        repeats,
        {
            "compiled": lambda: torch.ops.stylegan2_ops.weight_gradient(dy, x, 1, 1),
            "torch": lambda: torch.autograd.grad(y, weight, dy, retain_graph=True),
        },
    )


def train_step(dtype: torch.dtype, repeats: int) -> Medians:
    """Forward and backward of the bundled 128x128 generator at batch 16, constant noise."""
    opened = load_stylegan2(BUNDLED_FOLDER / "portraits.safetensors")
    opened.train().requires_grad_(True)
    latents = opened.seed_latents(range(16))
    cotangent = torch.randn(16, 3, 128, 128)

    def step() -> None:
        opened.zero_grad(set_to_none=True)
        ws = latents.ws.detach().requires_grad_()
        opened.synthesis(ws, latents.noise, dtype).backward(cotangent)

    def reference() -> None:
        with use("reference"):
            step()

    return take_turns(repeats, {"compiled": step, "reference": reference})


def fresh_copy(dtype: str) -> float:
    """Milliseconds of the copy in a process that leaves the allocator alone."""
    program = (
        "import torch, experiments.bench_ops as b\n"
        f"y = torch.randn(1, 32, 1024, 1024).to(b.DTYPES[{dtype!r}])\n"
        "print(b.take_turns(9, {'copy': y.clone})['copy'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(run.stdout)


@click.command()
@click.option("--repeats", type=click.IntRange(3), default=15, show_default=True)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Markdown file, per operator; sections that are not measured stay.",
)
def main(repeats: int, profile: Path | None) -> None:
    """Print what the operators cost, one JSON line last."""
    if implementation().name != "compiled":
        raise click.ClickException(implementation().reason)
    fresh = {name: fresh_copy(name) for name in DTYPES}
    keep_freed_memory()
    times: dict[str, Any] = {"fresh_copy_ms": fresh}
    ratios: dict[str, float] = {}
    for name, dtype in DTYPES.items():
        t = times[f"operators_{name}_ms"] = operators(dtype, repeats)
        ratios[f"blur_{name}_vs_copy"] = t["blur"] / t["copy"]
        ratios[f"bias_act_{name}_vs_copy"] = t["bias_act"] / t["copy"]
        ratios[f"upsample_{name}_vs_copy"] = t["upsample"] / t["rgb_copy"]
    t = times["operators_fp32_ms"]
    ratios["blur_vs_reference_speedup"] = t["blur_reference"] / t["blur"]
    ratios["blur_vs_textbook_speedup"] = t["blur_textbook"] / t["blur"]
    for resolution, batch in ((1024, 1), (256, 4)):
        found = times[f"generator{resolution}_ms"] = generator(resolution, batch, repeats, profile)
        for name in DTYPES:
            ratio = found[name]["whole"] / found[name]["convs"]
            ratios[f"generator{resolution}_{name}_vs_convs"] = ratio
        if "psnr_db" in found:
            ratios[f"generator{resolution}_bf16_psnr_db"] = found.pop("psnr_db")
    times["convolution_ms"] = convolutions(repeats)
    for name, t in times["convolution_ms"].items():
        ratios[f"convolution_{name}_speedup"] = t["torch"] / t["compiled"]
    t = times["weight_gradient_ms"] = weight_gradients(repeats)
    ratios["weight_gradient_speedup"] = t["torch"] / t["compiled"]
    for name in DTYPES:
        key = "train_step_speedup" if name == "fp32" else f"train_step_{name}_speedup"
        t = times[f"train_step_{name}_ms"] = train_step(DTYPES[name], repeats)
        ratios[key] = t["reference"] / t["compiled"]
    record = {**{k: round(v, 3) for k, v in ratios.items()}, "times": times}
    made = {"commit": commit(), "hardware": hardware(), "torch": torch.__version__}
    click.echo(json.dumps({**record, **made, "capability": implementation().reason.split()[0]}))


if __name__ == "__main__":
    main()
