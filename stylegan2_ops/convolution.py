"""Convolutions of torch, with kernels of ours where these are quicker.

On the CPU a 3x3 convolution of stride 1 takes a fourth of the multiplications (Winograd's minimal
filtering, csrc/cpu/winograd.h), one of stride 2 without padding three fifths, and so do their
transposes, which are the gradients of their inputs. The root mean square of their rounding is twice
that of the direct sum, beside the largest values of a tile. The gradient of a 3x3 weight is summed
in tiles at stride 1, and on processors with AVX2 and no more, where oneDNN reaches half of what
they can do or less, by one of two kernels at any stride. Everything else is torch's.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan2_ops import _dispatch
from stylegan2_ops._gradients import in_full_precision, left_over

_VECTORS = ("avx2", "avx512")  # gains were measured with AVX2
_CHANNELS = 16  # what the channels of tiles are multiples of
_MOST_FILTERS = 2**20  # their transforms take 144 bytes each
_FEWEST_TO_CONVERT = 64  # that are worth converting to channels_last, and back
_MANY_FILTERS = 2**16  # no cache holds their transforms
# Positions of the input of one sample where kernels begin to gain, with few and with many filters.
# The number of samples does not count, so that no image depends on what is drawn with it.
_FEWEST = {"plain": (100, 400), "halving": (1024, 4096), "enlarging": (256, 256)}
_FEWEST_OF_GRADIENT = (100, 200)
# Of the gradient's kernel without tiles, which only gains with AVX2: positions, and channels of
# either image.
_FEWEST_OF_DIRECT = 128
_FEWEST_CHANNELS = 16


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
    tiles = _in_tiles(x, weight, stride, padding)
    sums = _quick_gradient(x, weight, stride)
    if not tiles and not sums:
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)
    if not _gradient_wanted(x, weight, bias):
        return _tiled(x, weight, bias, stride, padding, transposed=False)
    y: Tensor = _Convolution.apply(x, weight, bias, stride, padding, tiles, sums)
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
    where = {"stride": stride, "padding": padding, "output_padding": output_padding}
    added = output_padding if isinstance(output_padding, int) else any(output_padding)
    tiles = not added and _in_tiles(x, weight, stride, padding, transposed=True)
    sums = _quick_gradient(x, weight, stride)
    if not tiles and not sums:
        return F.conv_transpose2d(x, weight, **where)
    if not _gradient_wanted(x, weight):
        return _tiled(x, weight, None, stride, padding, transposed=True)
    y: Tensor = _Transposed.apply(x, weight, where, tiles, sums)
    return y


def _gradient_wanted(*tensors: Tensor | None) -> bool:
    wanted = any(t is not None and t.requires_grad for t in tensors)
    return wanted and torch.is_grad_enabled()


def _in_tiles(
    x: Tensor, weight: Tensor, stride: int, padding: int, *, transposed: bool = False
) -> bool:
    """Whether the kernel computes this convolution, and sooner."""
    if not _kernels_for(x, weight) or not _fits_tiles(weight) or not isinstance(padding, int):
        return False
    if stride == 1:
        scheme, around = "plain", 2 - padding if transposed else padding
    elif (stride, padding) == (2, 0):
        scheme, around = ("enlarging", 1) if transposed else ("halving", 0)
    else:
        return False
    if around < 0 or min(x.shape[2:]) + 2 * around < 3:
        return False
    return _positions(x) >= _FEWEST[scheme][_many(weight)]


def _quick_gradient(x: Tensor, weight: Tensor, stride: int) -> bool:
    """Whether the gradient of this weight is wanted, and a kernel sums it sooner than torch."""
    wanted = weight.requires_grad and torch.is_grad_enabled()
    if not wanted or not _kernels_for(x, weight):
        return False
    if stride == 1 and _fits_tiles(weight):
        return _positions(x) >= _FEWEST_OF_GRADIENT[_many(weight)]
    wide = min(weight.shape[:2]) >= _FEWEST_CHANNELS
    return wide and _positions(x) >= _FEWEST_OF_DIRECT and _dispatch.capability() == "avx2"


def _kernels_for(x: Tensor, weight: Tensor) -> bool:
    """Whether these are images and filters as the kernels take them, and the kernels are there."""
    if not (x.is_cpu and weight.is_cpu and x.ndim == weight.ndim == 4):
        return False
    if weight.shape[2:] != (3, 3) or torch.compiler.is_compiling():
        return False
    if not x.dtype == weight.dtype == torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    if not _last(x) and min(weight.shape[:2]) < _FEWEST_TO_CONVERT:
        return False
    return _dispatch.compiled_for(x) and _dispatch.capability() in _VECTORS


def _last(x: Tensor) -> bool:
    """Whether channels are innermost, asked in a way that torch.vmap can answer."""
    return x.permute(0, 2, 3, 1).is_contiguous()


def _fits_tiles(weight: Tensor) -> bool:
    """Whether the channels fill vectors, and the transforms of the filters fit into memory."""
    if weight.shape[0] * weight.shape[1] > _MOST_FILTERS:
        return False
    return weight.shape[0] % _CHANNELS == 0 and weight.shape[1] % _CHANNELS == 0


def _many(weight: Tensor) -> bool:
    return weight.shape[0] * weight.shape[1] >= _MANY_FILTERS


def _positions(x: Tensor) -> int:
    return x.shape[2] * x.shape[3]


def _tiled(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, *, transposed: bool
) -> Tensor:
    bias = None if bias is None else bias.contiguous()
    y: Tensor = torch.ops.stylegan2_ops.convolution(x, weight, bias, stride, padding, transposed)
    return y if _last(x) else y.contiguous()


def _weight_gradient(
    a: Tensor, b: Tensor, weight: Tensor, stride: int, padding: int, *, kernel: bool
) -> Tensor:
    """The gradient of a weight that takes `b` to where the gradient is `a`."""
    if kernel:
        dw: Tensor = torch.ops.stylegan2_ops.weight_gradient(a, b, stride, padding)
        return dw
    where = ([stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1)
    with torch.autocast("cpu", enabled=False):
        dw = torch.ops.aten.convolution_backward(a, b, weight, None, *where, [False, True, False])[
            1
        ]
    return dw


class _Convolution(torch.autograd.Function):
    """Its gradients are a transposed convolution and the correlation of what it meets."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: int,
        padding: int,
        tiles: bool,
        sums: bool,
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding, ctx.sums = stride, padding, sums
        if tiles:
            return _tiled(x, weight, bias, stride, padding, transposed=False)
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        where: dict[str, Any] = {"stride": ctx.stride, "padding": ctx.padding}
        dx = dw = db = None
        if ctx.needs_input_grad[0]:
            over = left_over(x, dy, **where)
            dx = in_full_precision(conv_transpose2d, dy, weight, **where, output_padding=over)
        if ctx.needs_input_grad[1]:
            dw = _weight_gradient(dy, x, weight, **where, kernel=ctx.sums)
        if ctx.needs_input_grad[2]:
            db = dy.sum(dim=(0, 2, 3))
        return dx, dw, db, *[None] * 4


class _Transposed(torch.autograd.Function):
    """Its gradients are a convolution and the correlation of what it meets."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, where: dict[str, Any], tiles: bool, sums: bool
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding, ctx.sums = where["stride"], where["padding"], sums
        if tiles:
            return _tiled(x, weight, None, ctx.stride, ctx.padding, transposed=True)
        return F.conv_transpose2d(x, weight, **where)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        where: dict[str, Any] = {"stride": ctx.stride, "padding": ctx.padding}
        dx = dw = None
        if ctx.needs_input_grad[0]:
            dx = in_full_precision(conv2d, dy, weight, **where)
        if ctx.needs_input_grad[1]:
            dw = _weight_gradient(x, dy, weight, **where, kernel=ctx.sums)
        return dx, dw, None, None, None
