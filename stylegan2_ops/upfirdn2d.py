"""Upsample with zeros, pad, filter, downsample: the resampling of StyleGAN2 in one operator.

Shapes: x is [N, C, H, W]; a filter is [fh, fw], or [taps] when it is separable with equal factors.
Padding is [x0, x1, y0, y1] (left, right, top, bottom) in pixels after upsampling; negative crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan2_ops import _dispatch


def filter_from_taps(
    taps: Sequence[float] | Tensor, *, normalize: bool = True, gain: float = 1.0
) -> Tensor:
    """Build a filter for `upfirdn2d`.

    Args:
        taps: 1-D taps, made two-dimensional by their outer product below eight of them and kept
            separable from eight on (where two passes are cheaper), or a 2-D filter.
        normalize: Scale so that the whole filter sums to 1.
        gain: Factor on the whole two-dimensional filter, not below 0 if it is separable.

    Returns:
        float32, ``[fh, fw]`` or ``[taps]``.

    Raises:
        ValueError: If the taps are empty or have more than two dimensions, sum to 0 although they
            should be normalized, or are separable and `gain` is negative.

    Example:
        >>> filter_from_taps([1, 1])
        tensor([[0.2500, 0.2500],
                [0.2500, 0.2500]])
    """
    f = torch.as_tensor(taps, dtype=torch.float32)
    if f.ndim not in (1, 2) or f.numel() == 0:
        raise ValueError(f"a filter has one or two dimensions, got shape {list(f.shape)}")
    if normalize:
        if not f.is_meta and f.sum() == 0:
            raise ValueError("taps sum to 0 and cannot be normalized")
        f = f / f.sum()
    if f.ndim == 1 and f.numel() < 8:
        return torch.outer(f, f) * gain
    if f.ndim == 1 and gain < 0:
        raise ValueError(f"gain of a separable filter must be at least 0, got {gain}")
    scale: float = gain ** (f.ndim / 2)
    return f * scale


def upfirdn2d(
    x: Tensor,
    f: Tensor | None,
    *,
    up: int | tuple[int, int] = 1,
    down: int | tuple[int, int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    gain: float = 1.0,
) -> Tensor:
    """Upsample, pad, filter and downsample each channel, differentiable to any order.

    Every input pixel is followed by ``up - 1`` zeros, the result padded or cropped, convolved
    with `f` (correlated if `flip_filter`), and every ``down``-th pixel kept.

    Args:
        x: ``[N, C, H, W]``, floating.
        f: ``[fh, fw]``, ``[taps]`` (separable) or None (identity). Sums are made in the dtype of
            `x`, or in float32 where the kernels are compiled and that is wider. If a gradient to
            `f` is wanted, the reference runs.
        up: Integer factor, or (x, y), at least 1.
        down: Integer factor, or (x, y), at least 1.
        padding: One number, [x, y] or [x0, x1, y0, y1]; negative crops.
        flip_filter: Correlate instead of convolving.
        gain: Factor on the output.

    Returns:
        ``[N, C, Ho, Wo]`` with ``Ho = (H * up + y0 + y1 - fh) // down + 1``, in the dtype and
        memory format (contiguous or channels_last) of `x`.

    Raises:
        ValueError: If an argument is out of range, or the filter is larger than what it filters.

    Example:
        >>> upfirdn2d(torch.ones(1, 1, 1, 2), filter_from_taps([1, 1]), padding=[1, 0, 1, 0])
        tensor([[[[0.2500, 0.5000]]]])
    """
    r = check_resampling(x, f, up, down, padding)
    if f is not None and runs_compiled(x, f):
        return _filter_compiled(x, f, r, flip_filter, gain)
    (upx, upy), (downx, downy), (x0, x1, y0, y1) = r
    x = _insert_zeros(x, upx, upy)
    x = _pad(x, x0, x1, y0, y1)
    if f is None:
        return x[:, :, ::downy, ::downx] * gain
    f = f.to(x)
    f = f if flip_filter else f.flip(list(range(f.ndim)))
    if f.ndim == 1:
        x = _depthwise(x, f[:, None] * gain, (downy, 1))
        return _depthwise(x, f[None, :], (1, downx))
    return _depthwise(x, f * gain, (downy, downx))


class Resampling(NamedTuple):
    """Factors as (x, y), padding as (x0, x1, y0, y1)."""

    up: tuple[int, int]
    down: tuple[int, int]
    padding: tuple[int, int, int, int]

    def padded_size(self, x: Tensor) -> tuple[int, int]:
        """Height and width of x after zeros were put in and around it."""
        x0, x1, y0, y1 = self.padding
        return x.shape[2] * self.up[1] + y0 + y1, x.shape[3] * self.up[0] + x0 + x1

    def output_size(self, x: Tensor, f: Tensor) -> tuple[int, int]:
        """Height and width of what filtering x with f gives."""
        height, width = self.padded_size(x)
        columns, rows = self.down
        return (height - f.shape[0]) // rows + 1, (width - f.shape[-1]) // columns + 1


def check_resampling(
    x: Tensor,
    f: Tensor | None,
    up: int | tuple[int, int],
    down: int | tuple[int, int],
    padding: int | Sequence[int],
) -> Resampling:
    """Arguments of `upfirdn2d` in one form; raises as it does."""
    if x.ndim != 4 or not x.is_floating_point():
        raise ValueError(f"x must be floating [N, C, H, W], got {x.dtype} {list(x.shape)}")
    r = Resampling(_pair(up, "up"), _pair(down, "down"), _sides(padding))
    if f is not None and (f.ndim not in (1, 2) or f.numel() == 0):
        raise ValueError(f"f must be [fh, fw] or [taps], got {list(f.shape)}")
    fh, fw = (1, 1) if f is None else (f.shape[0], f.shape[-1])
    height, width = r.padded_size(x)
    if height < fh or width < fw:
        raise ValueError(f"filter [{fh}, {fw}] is larger than the padded input [{height}, {width}]")
    return r


def runs_compiled(x: Tensor, f: Tensor) -> bool:
    """Whether the kernels filter `x`: they are there, and no gradient to the filter is wanted."""
    return not (f.requires_grad and torch.is_grad_enabled()) and _dispatch.compiled_for(x)


def kernel_filter(x: Tensor, f: Tensor) -> Tensor:
    """A filter as kernels take it: on the device of `x`, in float32 or, for float64, float64."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    return f.to(device=x.device, dtype=wide).contiguous()


def _filter_compiled(x: Tensor, f: Tensor, r: Resampling, flip: bool, gain: float) -> Tensor:
    call, f = torch.ops.stylegan2_ops.upfirdn2d, kernel_filter(x, f)
    (upx, upy), (downx, downy), (x0, x1, y0, y1) = r
    if f.ndim == 1:
        x = call(x, f[None, :], [upx, 1], [downx, 1], [x0, x1, 0, 0], flip, 1.0)
        f, upx, downx, x0, x1 = f[:, None], 1, 1, 0, 0
    y: Tensor = call(x, f, [upx, upy], [downx, downy], [x0, x1, y0, y1], flip, gain)
    return y


def upsample2d(x: Tensor, f: Tensor, *, up: int = 2) -> Tensor:
    """Enlarge `x` by `up` with filter `f`, keeping the image centred and its brightness.

    Args:
        x: ``[N, C, H, W]``, floating.
        f: As for `upfirdn2d`.
        up: Integer factor, at least 1.

    Returns:
        ``[N, C, H * up, W * up]``.

    Raises:
        ValueError: As `upfirdn2d`.
    """
    fh, fw = f.shape[0], f.shape[-1]
    padding = [(fw + up - 1) // 2, (fw - up) // 2, (fh + up - 1) // 2, (fh - up) // 2]
    return upfirdn2d(x, f, up=up, padding=padding, gain=up**2)


def _pair(value: int | tuple[int, int], name: str) -> tuple[int, int]:
    x, y = (value, value) if isinstance(value, int) else value
    if x < 1 or y < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return x, y


def _sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) == 2:
        return padding[0], padding[0], padding[1], padding[1]
    if len(padding) == 4:
        return padding[0], padding[1], padding[2], padding[3]
    raise ValueError(f"padding must be one, two or four numbers, got {list(padding)}")


def _insert_zeros(x: Tensor, upx: int, upy: int) -> Tensor:
    if upx == upy == 1:
        return x
    n, c, h, w = x.shape
    if not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last):
        rows = x.permute(0, 2, 3, 1).reshape(n, h, 1, w, 1, c)
        rows = F.pad(rows, [0, 0, 0, upx - 1, 0, 0, 0, upy - 1])
        return rows.reshape(n, h * upy, w * upx, c).permute(0, 3, 1, 2)
    x = F.pad(x.reshape(n, c, h, 1, w, 1), [0, upx - 1, 0, 0, 0, upy - 1])
    return x.reshape(n, c, h * upy, w * upx)


def _pad(x: Tensor, x0: int, x1: int, y0: int, y1: int) -> Tensor:
    """Zeros first, then cropping: a side may be cropped by more than the image was wide."""
    sides = (x0, x1, y0, y1)
    if any(side > 0 for side in sides):
        x = F.pad(x, [max(side, 0) for side in sides])
    if any(side < 0 for side in sides):
        bottom, right = x.shape[2] + min(y1, 0), x.shape[3] + min(x1, 0)
        x = x[:, :, max(-y0, 0) : bottom, max(-x0, 0) : right]
    return x


def _depthwise(x: Tensor, f: Tensor, stride: tuple[int, int]) -> Tensor:
    channels = x.shape[1]
    weight = f[None, None].expand(channels, 1, *f.shape)
    return F.conv2d(x, weight, stride=stride, groups=channels)
