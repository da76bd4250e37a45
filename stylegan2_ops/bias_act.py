"""Bias, activation, gain and clamp of one layer, with what precedes them in StyleGAN2.

The epilogue of a StyleGAN2 layer: demodulation scales each channel of each sample, noise is added
to all channels alike (Karras et al. 2020, figure 2).

Shapes: x is [N, C, ...]; the bias has C entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan2_ops import _compiled, _dispatch


class Activation(NamedTuple):
    """An activation and the gain that keeps the variance of a unit normal input.

    Attributes:
        function: Called with (x, alpha).
        gain: Default gain.
        alpha: Default shape parameter; only leaky ReLU has one.
    """

    function: Callable[[Tensor, float], Tensor]
    gain: float = 1.0
    alpha: float = 0.0


_SQRT2 = 2.0**0.5

ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x, _: x),
    "relu": Activation(lambda x, _: F.relu(x), gain=_SQRT2),
    "lrelu": Activation(F.leaky_relu, gain=_SQRT2, alpha=0.2),
    "tanh": Activation(lambda x, _: torch.tanh(x)),
    "sigmoid": Activation(lambda x, _: torch.sigmoid(x)),
    "elu": Activation(lambda x, _: F.elu(x)),
    "selu": Activation(lambda x, _: F.selu(x)),
    "softplus": Activation(lambda x, _: F.softplus(x)),
    "swish": Activation(lambda x, _: torch.sigmoid(x) * x, gain=_SQRT2),
}


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    *,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """``clamp(gain * act(x * scale + noise + b))``, differentiable to any order.

    Compiled, this is one pass over memory with sums in float32 or wider; so is its gradient.

    Args:
        x: Any floating tensor with channels in dimension 1, ``[N, C, ...]``.
        b: Bias ``[C]``, or None.
        scale: Factor of each channel of each sample, ``[N, C]``, or None.
        noise: Broadcastable to `x`, or None; ``[H, W]`` and ``[N or 1, 1, H, W]`` are quickest.
        act: One of `ACTIVATIONS`.
        alpha: Shape parameter of the activation; None takes its default.
        gain: Factor on the activation's output; None takes its default.
        clamp: Outputs are limited to [-clamp, clamp], at least 0; None does not limit.

    Returns:
        A tensor of the shape, dtype and memory format of `x`.

    Raises:
        ValueError: If `x` is not such a tensor, `act` unknown, `clamp` negative, or bias or scale
            do not fit.

    Example:
        >>> bias_act(torch.tensor([[-1.0, 3.0]]), torch.tensor([0.0, 1.0]), act="relu", gain=1.0)
        tensor([[0., 4.]])
    """
    if x.ndim < 2 or not x.is_floating_point():
        raise ValueError(f"x must be floating [N, C, ...], got {x.dtype} {list(x.shape)}")
    alpha, gain = check_activation(act, alpha, gain, clamp)
    check_parts(x.shape, b, scale)
    if not _dispatch.compiled_for(x):
        return _reference(x, b, scale, noise, act, alpha, gain, clamp)
    if noise is not None:
        plain = plain_noise(x.shape, noise)
        if plain is None:
            x, scale = _scaled(x, scale) + noise.to(x.dtype), None
        noise = plain
    return _compiled.bias_act(x, scale, noise, b, act, alpha, gain, clamp)


def check_activation(
    act: str, alpha: float | None, gain: float | None, clamp: float | None
) -> tuple[float, float]:
    """Alpha and gain to use, for arguments as those of `bias_act`, which it raises for."""
    if act not in ACTIVATIONS:
        raise ValueError(f"act must be one of {', '.join(ACTIVATIONS)}; got {act!r}")
    if clamp is not None and not clamp >= 0:
        raise ValueError(f"clamp must be at least 0, got {clamp}")
    spec = ACTIVATIONS[act]
    return spec.alpha if alpha is None else alpha, spec.gain if gain is None else gain


def check_parts(shape: Sequence[int], b: Tensor | None, scale: Tensor | None) -> None:
    """Raise ValueError unless bias and scale fit x of `shape`, which has two dimensions or more."""
    if b is not None and b.shape != (shape[1],):
        raise ValueError(f"bias of shape {list(b.shape)} does not fit x {list(shape)}")
    if scale is not None and scale.shape != tuple(shape[:2]):
        raise ValueError(f"scale of shape {list(scale.shape)} does not fit x {list(shape)}")


def plain_noise(shape: Sequence[int], noise: Tensor) -> Tensor | None:
    """The noise as ``[N or 1, 1, H, W]``, or None if it is not the same for all channels of x."""
    if len(shape) != 4 or noise.ndim > 4:
        return None
    noise = noise.reshape([1] * (4 - noise.ndim) + list(noise.shape))
    if noise.shape[1] != 1 or noise.shape[0] not in (1, shape[0]):
        return None
    return noise.expand(-1, -1, *shape[2:])


def _scaled(x: Tensor, scale: Tensor | None) -> Tensor:
    if scale is None:
        return x
    return x * scale.to(x.dtype).reshape(*x.shape[:2], *[1] * (x.ndim - 2))


def _reference(
    x: Tensor,
    b: Tensor | None,
    scale: Tensor | None,
    noise: Tensor | None,
    act: str,
    alpha: float,
    gain: float,
    clamp: float | None,
) -> Tensor:
    if scale is not None and noise is not None:
        factor = scale.to(x.dtype).reshape(*x.shape[:2], *[1] * (x.ndim - 2))
        x = torch.addcmul(noise.to(x.dtype), x, factor)
    else:
        x = _scaled(x, scale)
        x = x if noise is None else x + noise.to(x.dtype)
    if b is not None:
        x = x + b.to(x.dtype).reshape(1, -1, *([1] * (x.ndim - 2)))
    x = ACTIVATIONS[act].function(x, alpha)
    if gain != 1:
        x = x * gain
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    return x
