"""Bias, activation, gain and clamp of one layer.

Shapes: x is [N, C, ...]; the bias has C entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


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
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """``clamp(gain * act(x + b))``, differentiable to any order.

    Args:
        x: Any floating tensor with channels in dimension 1, ``[N, C, ...]``.
        b: Bias ``[C]``, or None. Cast to the dtype of `x`.
        act: One of `ACTIVATIONS`.
        alpha: Shape parameter of the activation; None takes its default.
        gain: Factor on the activation's output; None takes its default.
        clamp: Outputs are limited to [-clamp, clamp], at least 0; None does not limit.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ValueError: If `act` is unknown, `clamp` negative or the bias does not fit.

    Example:
        >>> bias_act(torch.tensor([[-1.0, 3.0]]), torch.tensor([0.0, 1.0]), act="relu", gain=1.0)
        tensor([[0., 4.]])
    """
    if act not in ACTIVATIONS:
        raise ValueError(f"act must be one of {', '.join(ACTIVATIONS)}; got {act!r}")
    if clamp is not None and clamp < 0:
        raise ValueError(f"clamp must be at least 0, got {clamp}")
    spec = ACTIVATIONS[act]
    if b is not None:
        if x.ndim < 2 or b.shape != (x.shape[1],):
            raise ValueError(f"bias of shape {list(b.shape)} does not fit x {list(x.shape)}")
        x = x + b.to(x.dtype).reshape(1, -1, *([1] * (x.ndim - 2)))
    x = spec.function(x, spec.alpha if alpha is None else alpha)
    gain = spec.gain if gain is None else gain
    if gain != 1:
        x = x * gain
    if clamp is not None:
        x = x.clamp(-clamp, clamp)
    return x
