"""What the compiled operators return, without computing it: for torch to trace them.

Each function has the arguments of the operator of its name (csrc/schema.cpp) and returns an empty
tensor of the right shape, dtype and memory format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def _layout(x: Tensor) -> torch.memory_format:
    """channels_last where the kernels take `x` as such, else dense in the order of dimensions."""
    last = torch.channels_last
    if x.ndim == 4 and not x.is_contiguous() and x.is_contiguous(memory_format=last):
        return last
    return torch.contiguous_format


def _empty(like: Tensor, shape: Sequence[Any]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=_layout(like))


def upfirdn2d(
    x: Tensor,
    f: Tensor,
    up: list[int],
    down: list[int],
    padding: list[int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    height = (x.shape[2] * up[1] + padding[2] + padding[3] - f.shape[0]) // down[1] + 1
    width = (x.shape[3] * up[0] + padding[0] + padding[1] - f.shape[1]) // down[0] + 1
    return _empty(x, [x.shape[0], x.shape[1], height, width])


def bias_act(
    x: Tensor,
    scale: Tensor | None,
    noise: Tensor | None,
    b: Tensor | None,
    act: str,
    alpha: float,
    gain: float,
    clamp: float,
) -> Tensor:
    return _empty(x, x.shape)


def upfirdn2d_bias_act(
    x: Tensor,
    f: Tensor,
    up: list[int],
    down: list[int],
    padding: list[int],
    flip_filter: bool,
    filter_gain: float,
    scale: Tensor | None,
    noise: Tensor | None,
    b: Tensor | None,
    act: str,
    alpha: float,
    gain: float,
    clamp: float,
) -> Tensor:
    return upfirdn2d(x, f, up, down, padding, flip_filter, filter_gain)


def bias_act_backward(
    dy: Tensor,
    y: Tensor,
    x: Tensor | None,
    scale: Tensor | None,
    act: str,
    alpha: float,
    gain: float,
    clamp: float,
    wanted: list[bool],
    noise_samples: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    sums = torch.float64 if y.dtype == torch.float64 else torch.float32

    def part(index: int, shape: Sequence[Any]) -> Tensor:
        return torch.empty(shape if wanted[index] else [0], dtype=sums, device=y.device)

    dx = _empty(y, y.shape) if wanted[0] else torch.empty([0], dtype=y.dtype, device=y.device)
    return (
        dx,
        part(1, y.shape[:2]),
        part(2, [noise_samples, 1, *y.shape[2:]]),
        part(3, y.shape[1:2]),
    )


def demodulation(weight: Tensor, styles: Tensor) -> Tensor:
    return styles.new_empty([styles.shape[0], weight.shape[0]])


def weight_gradient(a: Tensor, b: Tensor, stride: int, padding: int) -> Tensor:
    shape, order = [a.shape[1], b.shape[1], 3, 3], torch.channels_last
    return torch.empty(shape, dtype=a.dtype, device=a.device, memory_format=order)


def convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, transposed: bool
) -> Tensor:
    if transposed:
        sizes = [stride * (size - 1) + 3 - 2 * padding for size in x.shape[2:]]
    else:
        sizes = [(size + 2 * padding - 3) // stride + 1 for size in x.shape[2:]]
    shape = [x.shape[0], weight.shape[1 if transposed else 0], *sizes]
    return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
