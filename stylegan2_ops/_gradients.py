"""Gradients of the compiled operators, of any order.

Every backward is written in operators that are differentiable themselves:

    upfirdn2d           its gradient is upfirdn2d with up and down exchanged and the filter flipped
    bias_act            linear, relu and lrelu: `bias_act_backward`, whose gradient is built from
                        itself, since their slope is constant nearly everywhere; the smooth ones:
                        their derivative in torch
    upfirdn2d_bias_act  filters again, then as the two above ("fused" below)
    weight_gradient     linear in both images: a convolution with the gradient, and a transposed one

No gradient flows to a filter, nor through `demodulation`, which only inference uses, nor through
`convolution`, whose gradients are in convolution.py.

Shapes: x, y [N, C, ...]; scale [N, C]; noise [1 or N, 1, H, W]; b [C]; f [fh, fw].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

PIECEWISE_LINEAR = ("linear", "relu", "lrelu")

Parts = tuple[Tensor | None, Tensor | None, Tensor | None]  # scale, noise, b


def upfirdn2d_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, f, *ctx.arguments = inputs
    ctx.size = x.shape[2:]
    ctx.save_for_backward(f)


def upfirdn2d_backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    (f,) = ctx.saved_tensors
    return (_transposed(dy, f, ctx.size, *ctx.arguments), *[None] * 6)


def _transposed(
    dy: Tensor,
    f: Tensor,
    size: Sequence[int],
    up: list[int],
    down: list[int],
    padding: list[int],
    flip_filter: bool,
    gain: float,
) -> Tensor:
    """The transpose of `upfirdn2d` as a linear map, from its output to an input of `size`."""
    (height, width), (fh, fw) = size, f.shape
    if height == 0 or width == 0:
        return dy.new_zeros([*dy.shape[:2], height, width])
    x0, _, y0, _ = padding
    sides = [
        fw - 1 - x0,
        width * up[0] - dy.shape[3] * down[0] + x0 - up[0] + 1,
        fh - 1 - y0,
        height * up[1] - dy.shape[2] * down[1] + y0 - up[1] + 1,
    ]
    call = torch.ops.stylegan2_ops.upfirdn2d
    dx: Tensor = call(dy, f, down, up, sides, not flip_filter, gain)
    return dx


def bias_act_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, scale, noise, b, *ctx.arguments = inputs
    if _slope_shows(ctx.arguments):  # then x matters to the scale's gradient only
        x = x if ctx.needs_input_grad[1] else None
    ctx.save_for_backward(x, scale, noise, b, output)


def bias_act_backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    x, scale, noise, b, y = ctx.saved_tensors
    grads = _epilogue_gradients(dy, x, (scale, noise, b), y, ctx.arguments, ctx.needs_input_grad)
    return (*grads, *[None] * 4)


def _epilogue_gradients(
    dy: Tensor,
    x: Tensor | None,
    parts: Parts,
    y: Tensor,
    arguments: list[Any],
    needed: Sequence[bool],
) -> tuple[Tensor | None, ...]:
    """dL/d(x, scale, noise, b) of bias_act, None where not needed."""
    scale, noise, _ = parts
    act, alpha, gain, clamp = arguments
    wanted = list(needed[:4])
    if not _slope_shows(arguments) or y.numel() == 0:
        return _smooth_gradients(dy, y if x is None else x, parts, arguments, wanted)
    samples = 0 if noise is None else noise.shape[0]
    call = torch.ops.stylegan2_ops.bias_act_backward
    grads = call(dy, y, x if wanted[1] else None, scale, act, alpha, gain, clamp, wanted, samples)
    return tuple(g if w else None for g, w in zip(grads, wanted, strict=True))


def _slope_shows(arguments: list[Any]) -> bool:
    """Whether y alone determines the slope of act: linear on both sides, with the sign kept."""
    act, alpha, gain, _ = arguments
    return act in PIECEWISE_LINEAR and gain > 0 and alpha >= 0


def _smooth_gradients(
    dy: Tensor, x: Tensor, parts: Parts, arguments: list[Any], wanted: list[bool]
) -> tuple[Tensor | None, ...]:
    """The same for any activation, in plain torch."""
    scale, noise, b = parts
    act, alpha, gain, clamp = arguments
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    spread = [x.shape[1], *[1] * (x.ndim - 2)]
    factor = None if scale is None else scale.reshape(x.shape[0], *spread)
    z = wide if factor is None else wide * factor
    z = z if noise is None else z + noise
    z = z if b is None else z + b.reshape(spread)
    value, slope = _value_and_slope(act, z, alpha)
    if clamp >= 0:
        slope = torch.where((value * gain).abs() < clamp, slope, torch.zeros_like(slope))
    dz = dy * (slope * gain)
    positions = list(range(2, x.ndim))
    dx = (dz if factor is None else dz * factor).to(x.dtype) if wanted[0] else None
    dscale = _sum(dz * wide, positions) if wanted[1] else None
    dnoise = None
    if wanted[2] and noise is not None:
        dnoise = dz.sum([0, 1] if len(noise) == 1 else 1, keepdim=True)
    db = _sum(dz, [0, *positions]) if wanted[3] else None
    return dx, dscale, dnoise, db


def _sum(x: Tensor, dims: list[int]) -> Tensor:
    return x.sum(dims) if dims else x


def _value_and_slope(act: str, z: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """An activation and its derivative, differentiable to any order."""
    one = torch.ones_like(z)
    if act == "tanh":
        return (t := torch.tanh(z)), 1 - t * t
    if act == "sigmoid":
        return (s := torch.sigmoid(z)), s * (1 - s)
    if act == "swish":
        s = torch.sigmoid(z)
        return z * s, s + z * s * (1 - s)
    if act == "softplus":
        return torch.nn.functional.softplus(z), torch.sigmoid(z)
    if act in ("elu", "selu"):
        scale, a = (1.0507009873554805, 1.6732632423543772) if act == "selu" else (1.0, 1.0)
        below = z.clamp_max(0)
        value = scale * torch.where(z > 0, z, a * torch.expm1(below))
        return value, scale * torch.where(z > 0, one, a * torch.exp(below))
    negative = {"linear": 1.0, "relu": 0.0, "lrelu": alpha}[act]
    slope = torch.where(z > 0, one, negative * one)
    return torch.where(z > 0, z, negative * z), slope


def fused_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, f, *ctx.resampling = inputs[:7]
    scale, noise, b, *ctx.arguments = inputs[7:]
    ctx.save_for_backward(x, f, scale, noise, b, output)


def fused_backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    x, f, scale, noise, b, y = ctx.saved_tensors
    needs_x, needs_parts = ctx.needs_input_grad[0], ctx.needs_input_grad[7:10]
    filtered = None
    if needs_parts[0] or not _slope_shows(ctx.arguments):
        filtered = torch.ops.stylegan2_ops.upfirdn2d(x, f, *ctx.resampling)
    needed = (needs_x, *needs_parts)
    du, *rest = _epilogue_gradients(dy, filtered, (scale, noise, b), y, ctx.arguments, needed)
    dx = None if du is None else _transposed(du, f, x.shape[2:], *ctx.resampling)
    return (dx, *[None] * 6, *rest, *[None] * 4)


def backward_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    dy, y, x, scale, *ctx.arguments, ctx.wanted, _ = inputs
    ctx.save_for_backward(dy, y, x, scale)


def backward_backward(
    ctx: Any, gdx: Tensor, gdscale: Tensor, gdnoise: Tensor, gdb: Tensor
) -> tuple[Any, ...]:
    """With dz = dy * slope: dx = dz * scale, dscale = sum dz x, dnoise = sum dz, db = sum dz."""
    dy, y, x, scale = ctx.saved_tensors
    needs_dy, _, needs_x, needs_scale = ctx.needs_input_grad[:4]
    with_x, with_scale, with_noise, with_b = ctx.wanted
    spread = [*y.shape[:2], *[1] * (y.ndim - 2)]

    def times_slope(g: Tensor) -> Tensor:
        wanted = [True, False, False, False]
        call = torch.ops.stylegan2_ops.bias_act_backward
        sloped: Tensor = call(g, y, None, None, *ctx.arguments, wanted, 0)[0]
        return sloped

    ddy = None
    if needs_dy:
        g = torch.zeros_like(y) if not with_x else gdx
        g = _affine(
            g, scale if with_x else None, gdnoise if with_noise else None, gdb if with_b else None
        )
        if with_scale:
            g = g + (gdscale.reshape(spread) * x).to(g.dtype)
        ddy = times_slope(g)
    dz = times_slope(dy) if needs_x or needs_scale else None
    dx = _affine(dz, gdscale) if dz is not None and needs_x and with_scale else None
    dscale = None
    if dz is not None and needs_scale and with_x:
        dscale = _sum((gdx * dz).to(scale.dtype), list(range(2, y.ndim)))
    return ddy, None, dx, dscale, *[None] * 6


def _affine(
    x: Tensor, scale: Tensor | None, noise: Tensor | None = None, b: Tensor | None = None
) -> Tensor:
    parts = (None if part is None else part.contiguous() for part in (scale, noise, b))
    y: Tensor = torch.ops.stylegan2_ops.bias_act(x, *parts, "linear", 0.0, 1.0, -1.0)
    return y


def weight_setup(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    a, b, ctx.stride, ctx.padding = inputs
    ctx.save_for_backward(a, b)


def weight_backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    a, b = ctx.saved_tensors
    where: dict[str, Any] = {"stride": ctx.stride, "padding": ctx.padding}
    da = in_full_precision(F.conv2d, b, dy, **where) if ctx.needs_input_grad[0] else None
    db = None
    if ctx.needs_input_grad[1]:
        where["output_padding"] = left_over(b, a, **where)
        db = in_full_precision(F.conv_transpose2d, a, dy, **where)
    return da, db, None, None


def left_over(x: Tensor, y: Tensor, stride: int, padding: int) -> list[int]:
    """Rows and columns at the end of x that a 3x3 convolution to y does not reach."""
    return [x.shape[d] - (stride * (y.shape[d] - 1) + 3 - 2 * padding) for d in (2, 3)]


def in_full_precision(convolve: Callable[..., Tensor], *tensors: Tensor, **where: Any) -> Tensor:
    """A convolution that autocast does not round, as it does none of torch's own gradients."""
    with torch.autocast("cpu", enabled=False):
        return convolve(*tensors, **where)
