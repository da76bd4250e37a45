"""From the tensors of another tool's file to a `StyleGAN2`: sizes from shapes, never from options.

Everything that a shape says is read off the shapes, so no wrong channel multiplier or mapping
depth can be given. What shapes do not say (clamp, learning-rate multiplier, the resampling
filter) comes with the `Unshaped`. A network of other forms is refused, saying which form.

Letters: C channels; r resolution; W dimensions of w.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from stylegan2_ops import filter_from_taps

_USUAL_TAPS = (1.0, 3.0, 3.0, 1.0)
_ONLY_THIS = "regen has StyleGAN2's skip architecture only, with 3 colours and square images"


@dataclass(frozen=True)
class Unshaped:
    """What the shapes of the tensors do not say.

    Attributes:
        conv_clamp: Limit of the activations, or None.
        mapping_lr_multiplier: Built into the scale of the mapping.
        resample_filter: ``[taps]`` or ``[fh, fw]``, summing to 1.
        channel_base: As the file states it; used if it explains the shapes.
        num_fp16_res: How many resolutions NVIDIA's code computes in half precision.
    """

    conv_clamp: float | None = None
    mapping_lr_multiplier: float = 0.01
    resample_filter: Tensor | None = None
    channel_base: int | None = None
    num_fp16_res: int = 0


def infer_config(tensors: Mapping[str, Tensor], unshaped: Unshaped, where: str) -> StyleGAN2Config:
    """The architecture of tensors that have our names and layout.

    Args:
        tensors: All of a generator but its resampling filters.
        unshaped: The rest.
        where: Begins the message of an error, the file for instance.

    Raises:
        GeneratorError: If `StyleGAN2` cannot be such a network.
    """
    last = max(int(name.split(".")[2]) for name in tensors if name.startswith("synthesis.convs."))
    depth = sum(name.startswith("mapping.layers.") for name in tensors) // 2
    _check_images(tensors, where)
    channels = _channels(tensors, last)
    base, most = _base_and_most(channels, unshaped.channel_base, where)
    w_dim = len(tensors[f"mapping.layers.{depth - 1}.bias"])
    widths = [len(tensors[f"mapping.layers.{i}.bias"]) for i in range(depth)]
    embed = tensors.get("mapping.embed.weight")
    if set(widths) != {w_dim} or (embed is not None and len(embed) != w_dim):
        raise GeneratorError(
            f"{where}: mapping network", got=f"layers of {widths}", expected=f"all of {w_dim}"
        )
    inputs = tensors["mapping.layers.0.weight"].shape[1]
    return StyleGAN2Config(
        resolution=StyleGAN2Config.resolution_of(last),
        z_dim=inputs - (0 if embed is None else w_dim),
        w_dim=w_dim,
        label_dim=0 if embed is None else embed.shape[1],
        channel_base=base,
        channel_max=most,
        mapping_layers=depth,
        mapping_lr_multiplier=unshaped.mapping_lr_multiplier,
        conv_clamp=unshaped.conv_clamp,
        resample_taps=_taps(unshaped.resample_filter, where),
        num_fp16_res=unshaped.num_fp16_res,
    )


def odd_values(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors, on the CPU, that hold NaN or infinity."""
    with np.errstate(over="ignore", invalid="ignore"):  # a sum is quick, and finite if all is
        suspects = [name for name, t in tensors.items() if not np.isfinite(t.numpy().sum())]
    return [name for name in suspects if not torch.isfinite(tensors[name]).all()]


def _check_images(tensors: Mapping[str, Tensor], where: str) -> None:
    constant = tensors["synthesis.const"]
    if constant.shape[-2:] != (4, 4):
        size = " x ".join(map(str, constant.shape[-2:]))
        raise GeneratorError(
            f"{where}: constant input", got=size, expected="4 x 4", remedy=_ONLY_THIS
        )
    colours = len(tensors["synthesis.rgbs.1.bias"])
    if colours != 3:
        raise GeneratorError(
            f"{where}: colour channels", got=colours, expected="3", remedy=_ONLY_THIS
        )


def _channels(tensors: Mapping[str, Tensor], last: int) -> dict[int, int]:
    """Channels by resolution, as the biases of the convolutions say."""
    layers = range(1, last + 1, 2)
    sizes = {StyleGAN2Config.resolution_of(i): tensors[f"synthesis.convs.{i}.bias"] for i in layers}
    return {resolution: len(bias) for resolution, bias in sizes.items()}


def _base_and_most(channels: Mapping[int, int], stated: int | None, where: str) -> tuple[int, int]:
    """A base and a maximum with ``min(base // r, maximum)`` channels at each resolution r."""
    most = max(channels.values())
    falling = [r * c for r, c in channels.items() if c < most]
    top = max(channels)
    for base in (stated or 0, max(falling, default=0), most * top):
        if base >= top and all(min(base // r, most) == c for r, c in channels.items()):
            return base, most
    raise GeneratorError(
        f"{where}: channels by resolution",
        got=", ".join(f"{c} at {r}" for r, c in channels.items()),
        expected="min(base / resolution, maximum)",
        remedy="such a network cannot be rebuilt",
    )


def filter_taps(kernel: object) -> Sequence[float] | None:
    """One-dimensional taps of a filter ``[taps]`` or ``[fh, fw]``, None if it has none."""
    if not isinstance(kernel, Tensor) or kernel.ndim not in (1, 2) or kernel.numel() == 0:
        return None
    kernel = kernel.detach().float()
    if kernel.shape == (4, 4) and torch.allclose(kernel, filter_from_taps(_USUAL_TAPS)):
        return _USUAL_TAPS
    taps = kernel if kernel.ndim == 1 else kernel.sum(1)
    if not torch.isfinite(taps).all() or taps.sum() == 0:
        return None
    rebuilt = filter_from_taps(taps)
    fits = rebuilt.shape == kernel.shape and torch.allclose(rebuilt, kernel, atol=1e-6)
    return [float(tap) for tap in taps] if fits else None


def _taps(kernel: Tensor | None, where: str) -> tuple[float, ...]:
    taps = _USUAL_TAPS if kernel is None else filter_taps(kernel)
    if taps is None:
        assert kernel is not None
        raise GeneratorError(
            f"{where}: resampling filter",
            got=f"one of {list(kernel.shape)} that is not a product of one row with itself",
            expected="a separable one, [1, 3, 3, 1] for instance",
        )
    return tuple(taps)
