"""Are the compiled operators right on this GPU, and how near do they come to its memory's speed?

    python -m experiments.bench_cuda | tail -1 > experiments/results/ops_cuda.json

Every operator is compared with the reference in float64 at 256x256, values and gradients of both
orders, then timed at 1024x1024 with 32 channels. `*_vs_copy` is the bandwidth of an operator (bytes
read once and written once, over its time) as a share of that of a copy of a tensor of the same size
on the device. Both are the median of interleaved repeats, over buffers that do not fit the cache
together. The last line is JSON. See tests/stylegan2_ops/test_cuda.py for compute-sanitizer.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from stylegan2_ops import bias_act, filter_from_taps, implementation, upfirdn2d
from stylegan2_ops._dispatch import use
from stylegan2_ops.upfirdn2d_bias_act import upfirdn2d_bias_act

Run = Callable[[Tensor], Tensor]

CHANNELS, SIDE = 32, 1024
PARITY_SIDE = 256  # of the images compared: enough for every path of the kernels
REPEATS, CALLS, BUFFERS = 9, 12, 4
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}


def operators(to: int = SIDE, device: str = "cuda") -> dict[str, tuple[int, Run]]:
    """Name -> side of the input, and the operator; images become `to` pixels wide, or half that."""
    f = filter_from_taps([1, 3, 3, 1]).to(device)
    b = torch.randn(CHANNELS, device=device)
    scale = torch.rand(1, CHANNELS, device=device) + 0.5
    noise = torch.randn(to, to, device=device)
    epilogue: Any = {"scale": scale, "noise": noise, "act": "lrelu", "clamp": 256.0}
    return {
        "blur": (to + 1, partial(upfirdn2d, f=f, padding=[1, 1, 1, 1])),
        "blur_general": (to + 1, partial(upfirdn2d, f=_not_separable(f), padding=[1, 1, 1, 1])),
        "upsample": (to // 2, partial(upfirdn2d, f=f, up=2, padding=[2, 1, 2, 1], gain=4.0)),
        "downsample": (to, partial(upfirdn2d, f=f, down=2, padding=[1, 1, 1, 1])),
        "bias_act": (to, partial(bias_act, b=b, act="lrelu", clamp=256.0)),
        "epilogue": (to, partial(bias_act, b=b, **epilogue)),
        "blur_epilogue": (
            to + 1,
            partial(upfirdn2d_bias_act, f=f, b=b, padding=[1, 1, 1, 1], **epilogue),
        ),
    }


def _not_separable(f: Tensor) -> Tensor:
    f = f.clone()
    f[0, 3] += 0.1
    return f


def parity(run: Run, x: Tensor) -> dict[str, float]:
    """Differences from the reference in float64, relative to the largest number there."""
    given, exact = x.clone().requires_grad_(), x.double().requires_grad_()
    got = run(given)
    with use("reference"):
        wanted = run(exact)
    dy = torch.randn_like(got).requires_grad_()
    exact_dy = dy.detach().double().requires_grad_()
    errors = {"value": _error(got, wanted)}
    (grad,) = torch.autograd.grad(got, given, dy, create_graph=True)
    (exact_grad,) = torch.autograd.grad(wanted, exact, exact_dy, create_graph=True)
    errors["gradient"] = _error(grad, exact_grad)
    direction = torch.randn_like(x)
    (second,) = torch.autograd.grad(grad, dy, direction)
    (exact_second,) = torch.autograd.grad(exact_grad, exact_dy, direction.double())
    errors["second"] = _error(second, exact_second)
    return errors


def _error(got: Tensor, wanted: Tensor) -> float:
    """A bound that all but one number in ten thousand keep to, by counting instead of sorting.

    Numbers that rounding puts beyond a kink are rarer than mistakes. Bounds are powers of 2, so it
    is at most twice the 99.99th percentile; 0 where that is below 2^-60.
    """
    difference = (got.double() - wanted).detach().abs() / wanted.detach().abs().max()
    exponents = torch.frexp(difference).exponent.clamp(-60, 60)  # below 2^exponent
    counts = torch.bincount((exponents + 60).flatten(), minlength=121).tolist()
    counts[0] += int((difference == 0).sum())  # whose exponent is 0
    counts[60] -= int((difference == 0).sum())
    allowed, above = difference.numel() // 10_000, 0
    for exponent in range(60, -60, -1):
        above += counts[exponent + 60]
        if above > allowed:
            return float(2.0**exponent)
    return 0.0


def seconds(runs: dict[str, Callable[[int], object]]) -> dict[str, float]:
    """Median time of a call of each, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(REPEATS + 2):
        for name, run in runs.items():
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda._sleep(2_000_000)  # let the calls queue up, so that Python is not timed
            start.record()
            for call in range(CALLS):
                run(call % BUFFERS)
            end.record()
            torch.cuda.synchronize()
            if repeat >= 2:
                times[name].append(start.elapsed_time(end) / 1e3 / CALLS)
    return {name: statistics.median(values) for name, values in times.items()}


def bandwidth(run: Run, side: int, dtype: torch.dtype, layout: torch.memory_format) -> Any:
    """Time of an operator, and its bandwidth as a share of a copy's."""
    shape = (1, CHANNELS, side, side)
    inputs = [
        torch.randn(shape, device="cuda").to(dtype).contiguous(memory_format=layout)
        for _ in range(BUFFERS)
    ]
    sources = [torch.empty(1, CHANNELS, SIDE, SIDE, device="cuda", dtype=dtype) for _ in inputs]
    target = torch.empty_like(sources[0])
    moved = inputs[0].nbytes + run(inputs[0]).nbytes
    taken = seconds(
        {
            "copy": lambda i: target.copy_(sources[i]),
            "run": lambda i: run(inputs[i]),
        }
    )
    copied = 2 * target.nbytes / taken["copy"]
    return {
        "us": round(taken["run"] * 1e6, 1),
        "copy_us": round(taken["copy"] * 1e6, 1),
        "gb_per_s": round(moved / taken["run"] / 1e9),
        "copy_gb_per_s": round(copied / 1e9),
        "vs_copy": round(moved / taken["run"] / copied, 3),
    }


def main() -> None:
    """Check, time, print."""
    found = implementation("compiled", "cuda") if torch.cuda.is_available() else None
    if found is None:
        sys.exit("no GPU on this machine: nothing was measured")
    result: dict[str, Any] = {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "runs": found.reason,
        "parity": {},
        "bandwidth": {},
    }
    torch.manual_seed(0)
    compared = operators(PARITY_SIDE)
    with use("compiled"):
        for name, (side, run) in operators().items():
            for layout_name, layout in LAYOUTS.items():
                for dtype_name, dtype in {**DTYPES, "fp64": torch.float64}.items():
                    key = f"{name}_{layout_name}_{dtype_name}"
                    little, small = compared[name]
                    x = torch.randn(1, CHANNELS, little, little, device="cuda").to(dtype)
                    errors = parity(small, x.contiguous(memory_format=layout))
                    result["parity"][key] = {k: float(f"{e:.2g}") for k, e in errors.items()}
                    if dtype != torch.float64:
                        with torch.no_grad():
                            result["bandwidth"][key] = bandwidth(run, side, dtype, layout)
                    print(key, result["parity"][key], file=sys.stderr)
    for key, measured in result["bandwidth"].items():
        result[f"{key}_vs_copy"] = measured["vs_copy"]
    print(json.dumps(result))


if __name__ == "__main__":
    main()
