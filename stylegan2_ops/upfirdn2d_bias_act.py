"""Filter and then finish a layer: `upfirdn2d` followed by `bias_act`, in one pass over memory.

StyleGAN2 blurs after each enlarging convolution and applies bias and activation to the result; when
fused, the blurred tensor is never written. Under autograd the blur is computed again in the
backward pass instead of being kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from stylegan2_ops import _compiled
from stylegan2_ops.bias_act import bias_act, check_activation, check_parts, plain_noise
from stylegan2_ops.upfirdn2d import check_resampling, kernel_filter, runs_compiled, upfirdn2d


def upfirdn2d_bias_act(
    x: Tensor,
    f: Tensor,
    b: Tensor | None = None,
    *,
    up: int | tuple[int, int] = 1,
    down: int | tuple[int, int] = 1,
    padding: int | Sequence[int] = 0,
    flip_filter: bool = False,
    filter_gain: float = 1.0,
    scale: Tensor | None = None,
    noise: Tensor | None = None,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """``bias_act(upfirdn2d(x, f, ...), b, ...)``, differentiable to any order.

    Args:
        x: ``[N, C, H, W]``, floating.
        f: ``[fh, fw]`` or ``[taps]``, as for `upfirdn2d`.
        b: Bias ``[C]``, or None.
        up: As `down`, `padding` and `flip_filter`: see `upfirdn2d`.
        filter_gain: Factor on the filter.
        scale: ``[N, C]``; as `noise`, `act`, `alpha`, `gain` and `clamp`: see `bias_act`.

    Returns:
        ``[N, C, Ho, Wo]`` in the dtype and memory format of `x`.

    Raises:
        ValueError: As the two operators.

    Example:
        >>> f = torch.full([2, 2], 0.25)
        >>> upfirdn2d_bias_act(torch.ones(1, 1, 2, 2), f, torch.tensor([-3.0]), act="relu")
        tensor([[[[0.]]]])
    """
    alpha, gain = check_activation(act, alpha, gain, clamp)
    r = check_resampling(x, f, up, down, padding)
    shape = [*x.shape[:2], *r.output_size(x, f)]
    check_parts(shape, b, scale)
    plain = None if noise is None else plain_noise(shape, noise)
    if f.ndim == 1 or (noise is not None and plain is None) or not runs_compiled(x, f):
        x = upfirdn2d(
            x, f, up=r.up, down=r.down, padding=padding, flip_filter=flip_filter, gain=filter_gain
        )
        return bias_act(
            x, b, scale=scale, noise=noise, act=act, alpha=alpha, gain=gain, clamp=clamp
        )
    parts = _compiled.prepared(x, scale, plain, b)
    resampling = list(r.up), list(r.down), list(r.padding), flip_filter, filter_gain
    call, limit = torch.ops.stylegan2_ops.upfirdn2d_bias_act, _compiled.limit_of(clamp)
    y: Tensor = call(x, kernel_filter(x, f), *resampling, *parts, act, alpha, gain, limit)
    return y
