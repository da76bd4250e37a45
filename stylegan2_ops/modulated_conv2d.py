"""Weight-modulated convolution, the layer of StyleGAN2 (Karras et al. 2020, section 2.2).

Modulating the weights per sample, w' = s_i w_oik, equals scaling the input channels by s; the
demodulation sigma_o = rsqrt(sum (s_i w_oik)^2) equals scaling the output channels. Scaling
activations needs no per-sample kernels, so one ordinary convolution serves the whole batch.

Shapes: N samples; I, O input and output channels; k kernel size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan2_ops.upfirdn2d import upfirdn2d

_TINY = 1e-30  # keeps the division by a largest magnitude of 0 finite


def modulated_conv2d(
    x: Tensor,
    weight: Tensor,
    styles: Tensor,
    *,
    noise: Tensor | None = None,
    up: int = 1,
    padding: int = 0,
    resample_filter: Tensor | None = None,
    demodulate: bool = True,
) -> Tensor:
    """Convolve `x` with `weight` modulated by `styles`, differentiable to any order.

    With ``up == 2`` the weight acts as a transposed convolution of stride 2 followed by
    `resample_filter`, which is StyleGAN2's upsampling layer; the output is exactly twice as large.

    Args:
        x: ``[N, I, H, W]``, floating; its dtype is the one computed in.
        weight: ``[O, I, k, k]``, odd k. Its dtype may differ from that of `x`.
        styles: ``[N, I]``, scale of each input channel.
        noise: Added to the output after demodulation; broadcastable to it, or None.
        up: 1 or 2.
        padding: Of the convolution before resampling; ``k // 2`` keeps the size.
        resample_filter: Filter for ``up == 2``, as for `upfirdn2d`.
        demodulate: Scale outputs to unit expected variance.

    Returns:
        ``[N, O, H * up, W * up]`` for ``padding == k // 2``, in the dtype and memory format of `x`.

    Raises:
        ValueError: If shapes do not fit, or `up` is not 1 or 2, or lacks its filter.
    """
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or weight.shape[2] % 2 == 0:
        raise ValueError(f"weight must be [O, I, k, k] with an odd k, got {list(weight.shape)}")
    in_channels = weight.shape[1]
    if x.ndim != 4 or x.shape[1] != in_channels or styles.shape != (x.shape[0], in_channels):
        raise ValueError(
            f"weight {list(weight.shape)} wants x [N, {in_channels}, H, W] and styles "
            f"[N, {in_channels}], got x {list(x.shape)} and styles {list(styles.shape)}"
        )
    if up not in (1, 2) or (up == 2 and resample_filter is None):
        raise ValueError(f"up must be 1, or 2 with a resample_filter; got {up}")
    scale = None
    if demodulate:
        weight, styles, scale = _demodulation(weight, styles, half=x.dtype == torch.float16)
    x = x * styles.to(x.dtype)[:, :, None, None]
    x = _convolve(x, weight.to(x.dtype), up, padding, resample_filter)
    if scale is None:
        return x if noise is None else x + noise.to(x.dtype)
    scale = scale.to(x.dtype)[:, :, None, None]
    return x * scale if noise is None else torch.addcmul(noise.to(x.dtype), x, scale)


def _demodulation(weight: Tensor, styles: Tensor, half: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Weight and styles to use, and the factor [N, O] that demodulates the output.

    For half precision both are first divided by their largest magnitude, which demodulation
    undoes, so that products stay far from fp16's limit of 65,504. Sums run in float32 or wider.
    """
    wide = torch.promote_types(weight.dtype, torch.float32)
    weight, styles = weight.to(wide), styles.to(wide)
    if half:
        largest = weight.abs().amax(dim=[1, 2, 3], keepdim=True) * weight[0].numel() ** 0.5
        weight = weight / largest.clamp_min(_TINY)
        styles = styles / styles.abs().amax(dim=1, keepdim=True).clamp_min(_TINY)
    energy = weight.square().sum(dim=[2, 3])
    return weight, styles, torch.rsqrt(styles.square() @ energy.T + 1e-8)


def _convolve(x: Tensor, weight: Tensor, up: int, padding: int, f: Tensor | None) -> Tensor:
    if up == 1:
        return F.conv2d(x, weight, padding=padding)
    assert f is not None
    k, fh, fw = weight.shape[-1], f.shape[0], f.shape[-1]
    x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=up)
    before, after = padding - (k - 1), padding - (k - up)
    sides = [
        before + (fw + up - 1) // 2,
        after + (fw - up) // 2,
        before + (fh + up - 1) // 2,
        after + (fh - up) // 2,
    ]
    return upfirdn2d(x, f, padding=sides, gain=up**2)
