"""Weight-modulated convolution, the layer of StyleGAN2 (Karras et al. 2020, section 2.2).

Modulating the weights per sample, w' = s_i w_oik, equals scaling the input channels by s; the
demodulation sigma_o = rsqrt(sum (s_i w_oik)^2) equals scaling the output channels. Scaling
activations needs no per-sample kernels, so one ordinary convolution serves the whole batch.

Shapes: N samples; I, O input and output channels; k kernel size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stylegan2_ops import _compiled, _dispatch
from stylegan2_ops.bias_act import bias_act
from stylegan2_ops.convolution import conv2d, conv_transpose2d
from stylegan2_ops.upfirdn2d_bias_act import upfirdn2d_bias_act

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
    bias: Tensor | None = None,
    act: str = "linear",
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """Convolve `x` with `weight` modulated by `styles`, differentiable to any order.

    With ``up == 2`` the weight acts as a transposed convolution of stride 2 followed by
    `resample_filter`, which is StyleGAN2's upsampling layer; the output is exactly twice as large.
    Noise, bias and activation follow as in `bias_act`, so that one call is one layer.

    Args:
        x: ``[N, I, H, W]``, floating; its dtype is the one computed in.
        weight: ``[O, I, k, k]``, odd k. Its dtype may differ from that of `x`.
        styles: ``[N, I]``, scale of each input channel.
        noise: Added to the output after demodulation; broadcastable to it, or None.
        up: 1 or 2.
        padding: Of the convolution before resampling; ``k // 2`` keeps the size.
        resample_filter: Filter for ``up == 2``, as for `upfirdn2d`.
        demodulate: Scale outputs to unit expected variance.
        bias: ``[O]``, added after the noise, or None.
        act: Activation of the output; as `gain` and `clamp`: see `bias_act`.

    Returns:
        ``[N, O, H * up, W * up]`` for ``padding == k // 2``, in the dtype and memory format of `x`.

    Raises:
        ValueError: If shapes do not fit, or `up` is not 1 or 2, or lacks its filter.
    """
    _check(x, weight, styles, up, resample_filter)
    scale = None
    if demodulate:
        weight, styles, scale = _demodulation(weight, styles, half=_dtype_of(x) == torch.float16)
    x, weight = _modulated(x, weight, styles, pointwise=up == 1 and padding == 0)
    if up == 1 or resample_filter is None:
        x = _convolve(x, weight, padding)
        return bias_act(x, bias, scale=scale, noise=noise, act=act, gain=gain, clamp=clamp)
    x = conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    return upfirdn2d_bias_act(
        x,
        resample_filter,
        bias,
        padding=_blur_padding(weight.shape[-1], padding, resample_filter),
        filter_gain=4.0,
        scale=scale,
        noise=noise,
        act=act,
        gain=gain,
        clamp=clamp,
    )


def _check(
    x: Tensor, weight: Tensor, styles: Tensor, up: int, resample_filter: Tensor | None
) -> None:
    if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or weight.shape[2] % 2 == 0:
        raise ValueError(f"weight must be [O, I, k, k] with an odd k, got {list(weight.shape)}")
    in_channels = weight.shape[1]
    if x.ndim != 4 or x.shape[1] != in_channels or styles.shape != (x.shape[0], in_channels):
        raise ValueError(
            f"weight {list(weight.shape)} needs x [N, {in_channels}, H, W] and styles "
            f"[N, {in_channels}], got x {list(x.shape)} and styles {list(styles.shape)}"
        )
    if up not in (1, 2) or (up == 2 and resample_filter is None):
        raise ValueError(f"up must be 1, or 2 with a resample_filter; got {up}")


def _dtype_of(x: Tensor) -> torch.dtype:
    """The dtype a convolution of `x` computes in: its own, or that of an autocast region."""
    kind = x.device.type
    if kind in ("cpu", "cuda") and torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    return x.dtype


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
    if not half and _dispatch.compiled_for(weight):
        sigma = _compiled.demodulation(weight, styles)
        if sigma is not None:
            return weight, styles, sigma
    energy = weight.square().sum(dim=[2, 3])
    with torch.autocast(weight.device.type, enabled=False):
        return weight, styles, torch.rsqrt(styles.square() @ energy.T + 1e-8)


def _modulated(x: Tensor, weight: Tensor, styles: Tensor, pointwise: bool) -> tuple[Tensor, Tensor]:
    """Scale the input channels of the weight if that is less work than scaling those of `x`.

    Returns:
        x, and the weight in its dtype: ``[O, I, k, k]``, or ``[N, I, O]`` for one per sample.
    """
    if pointwise and weight.shape[-1] == 1 and len(x) > 1:
        matrices = styles.to(weight.dtype)[:, :, None] * weight[:, :, 0, 0].T
        return x, matrices.to(x.dtype)
    if len(x) == 1 and x.numel() >= weight.numel():
        return x, (weight * styles.to(weight.dtype)[0, :, None, None]).to(x.dtype)
    return bias_act(x, scale=styles), weight.to(x.dtype)


def _convolve(x: Tensor, weight: Tensor, padding: int) -> Tensor:
    if weight.ndim == 4:
        return conv2d(x, weight, padding=padding)
    n, _, height, width = x.shape
    channels_innermost = x.permute(0, 2, 3, 1).reshape(n, height * width, -1)
    y = torch.bmm(channels_innermost, weight).reshape(n, height, width, -1).permute(0, 3, 1, 2)
    return y if x.is_contiguous(memory_format=torch.channels_last) else y.contiguous()


def _blur_padding(k: int, padding: int, f: Tensor) -> list[int]:
    """Padding of the filter that follows a transposed convolution of stride 2."""
    before, after = padding - (k - 1), padding - (k - 2)
    fh, fw = f.shape[0], f.shape[-1]
    return [
        before + (fw + 1) // 2,
        after + (fw - 2) // 2,
        before + (fh + 1) // 2,
        after + (fh - 2) // 2,
    ]
