"""Convolutions of torch whose weights get their gradient sooner, where a kernel of ours is quicker.

On processors with AVX2 and no more, oneDNN computes a convolution and the gradient of its input at
nine tenths of what the processor can do, but the gradient of a 3x3 weight at half of that or less.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan2_ops import _dispatch
from stylegan2_ops._gradients import in_full_precision, left_over

_FEWEST_CHANNELS = 16  # of input and output
_FEWEST_POSITIONS = 128  # of a sample; both: where the kernel begins to gain
_QUICK_ON = "avx2"


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0
) -> Tensor:
    """`torch.nn.functional.conv2d`, differentiable to any order.

    Args:
        x: ``[N, I, H, W]``.
        weight: ``[O, I, k, k]``.
        bias: ``[O]``, or None.
        stride: Of rows and columns.
        padding: Zeros on each side.

    Returns:
        ``[N, O, (H + 2 padding - k) // stride + 1, ...]``.
    """
    if not _quick(x, weight):
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)
    y: Tensor = _Convolution.apply(x, weight, bias, stride, padding)
    return y


def conv_transpose2d(
    x: Tensor, weight: Tensor, *, stride: int = 1, padding: int = 0, output_padding: Any = 0
) -> Tensor:
    """`torch.nn.functional.conv_transpose2d`, differentiable to any order.

    Args:
        x: ``[N, I, H, W]``.
        weight: ``[I, O, k, k]``.
        stride: Of the convolution that it is the transpose of.
        padding: Likewise.
        output_padding: Rows and columns that are added below and to the right of the output.

    Returns:
        ``[N, O, stride (H - 1) + k - 2 padding + output_padding, ...]``.
    """
    if not _quick(x, weight):
        return F.conv_transpose2d(
            x, weight, stride=stride, padding=padding, output_padding=output_padding
        )
    y: Tensor = _Transposed.apply(x, weight, stride, padding, output_padding)
    return y


def _quick(x: Tensor, weight: Tensor) -> bool:
    """Whether the kernel is there, and made for the gradient of this weight, which is wanted."""
    wanted = weight.requires_grad and torch.is_grad_enabled()
    if not wanted or weight.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    if not x.dtype == weight.dtype == torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    if weight.shape[2:] != (3, 3) or min(weight.shape[:2]) < _FEWEST_CHANNELS:
        return False
    few = x.shape[2] * x.shape[3] < _FEWEST_POSITIONS
    if few or not x.is_contiguous(memory_format=torch.channels_last):
        return False
    return _dispatch.compiled_for(x) and _dispatch.capability() == _QUICK_ON


class _Convolution(torch.autograd.Function):
    """Its gradients are a transposed convolution and the correlation of what it meets."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        dx = dw = db = None
        if ctx.needs_input_grad[0]:
            where: dict[str, Any] = {"stride": ctx.stride, "padding": ctx.padding}
            where["output_padding"] = left_over(x, dy, **where)
            dx = in_full_precision(conv_transpose2d, dy, weight, **where)
        if ctx.needs_input_grad[1]:
            dw = torch.ops.stylegan2_ops.weight_gradient(dy, x, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[2]:
            db = dy.sum(dim=(0, 2, 3))
        return dx, dw, db, None, None


class _Transposed(torch.autograd.Function):
    """Its gradients are a convolution and the correlation of what it meets."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int, output_padding: Any
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv_transpose2d(
            x, weight, stride=stride, padding=padding, output_padding=output_padding
        )

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        dx = dw = None
        if ctx.needs_input_grad[0]:
            where = {"stride": ctx.stride, "padding": ctx.padding}
            dx = in_full_precision(conv2d, dy, weight, **where)
        if ctx.needs_input_grad[1]:
            dw = torch.ops.stylegan2_ops.weight_gradient(x, dy, ctx.stride, ctx.padding)
        return dx, dw, None, None, None
