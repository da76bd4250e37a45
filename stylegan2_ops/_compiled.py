"""The compiled operators as the rest of the package calls them.

The shared library declares and implements ``torch.ops.stylegan2_ops``; `register`, called once
after it is loaded, adds what torch needs to trace (`_shapes`) and differentiate (`_gradients`)
them.

Shapes: x [N, C, ...]; scale [N, C]; noise [1 or N, 1, H, W]; b [C].
"""

from __future__ import annotations

import torch
from torch import Tensor

from stylegan2_ops import _gradients, _shapes

_NO_CLAMP = -1.0


def register() -> None:
    """Register shapes and gradients with torch. Call once, when the library has been loaded."""
    for name, setup, backward in (
        ("upfirdn2d", _gradients.upfirdn2d_setup, _gradients.upfirdn2d_backward),
        ("bias_act", _gradients.bias_act_setup, _gradients.bias_act_backward),
        ("upfirdn2d_bias_act", _gradients.fused_setup, _gradients.fused_backward),
        ("bias_act_backward", _gradients.backward_setup, _gradients.backward_backward),
        ("demodulation", None, None),
        ("convolution", None, None),
        ("weight_gradient", _gradients.weight_setup, _gradients.weight_backward),
    ):
        torch.library.register_fake(f"stylegan2_ops::{name}", getattr(_shapes, name))
        if backward is not None:
            torch.library.register_autograd(f"stylegan2_ops::{name}", backward, setup_context=setup)


def bias_act(
    x: Tensor,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
    b: Tensor | None = None,
    act: str = "linear",
    alpha: float = 0.0,
    gain: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """The operator, with its parts in the dtype it computes in."""
    parts = prepared(x, scale, noise, b)
    y: Tensor = torch.ops.stylegan2_ops.bias_act(x, *parts, act, alpha, gain, limit_of(clamp))
    return y


def limit_of(clamp: float | None) -> float:
    """The clamp as the operators take it."""
    return _NO_CLAMP if clamp is None else clamp


def prepared(
    x: Tensor, scale: Tensor | None, noise: Tensor | None, b: Tensor | None
) -> _gradients.Parts:
    """Scale, noise and bias in the dtype that `x` is computed in, contiguous."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32

    def part(value: Tensor | None) -> Tensor | None:
        return None if value is None else value.to(wide).contiguous()

    return part(scale), part(noise), part(b)


def demodulation(weight: Tensor, styles: Tensor) -> Tensor | None:
    """The demodulation's scale of each output, ``[N, O]``, or None where the kernel does not apply.

    It applies to float32 on the CPU where no gradient is wanted, and to weights that lie in memory
    as convolutions read them: channels_last, or so with inputs and outputs exchanged.
    """
    if torch.is_grad_enabled() and (weight.requires_grad or styles.requires_grad):
        return None
    if weight.device.type != "cpu" or not weight.dtype == styles.dtype == torch.float32:
        return None
    order = torch.channels_last
    exchanged = weight.transpose(0, 1)
    if not any(w.is_contiguous(memory_format=order) for w in (weight, exchanged)):
        return None
    sigma: Tensor = torch.ops.stylegan2_ops.demodulation(weight, styles.contiguous())
    return sigma
