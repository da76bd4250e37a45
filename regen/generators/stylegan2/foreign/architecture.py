"""From the tensors of another tool's file to a `StyleGAN2`: sizes from shapes, never from options.

Everything that a shape says is read off the shapes, so no wrong channel multiplier or mapping
depth can be given. What shapes do not say (clamp, learning-rate multiplier, the resampling
filter) comes with the `Unshaped`. A network of other forms is refused, saying which form.

Letters: C channels; r resolution; W dimensions of w.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import MOST_TAPS
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.foreign.modules import FLOATS, is_float
from stylegan2_ops import filter_from_taps

_USUAL_TAPS = (1.0, 3.0, 3.0, 1.0)
_MOST = MOST_TAPS**2
_ONLY_THIS = "regen has StyleGAN2's skip architecture only, with 3 colours and square images"


@dataclass(frozen=True)
class Unshaped:
    """What the shapes of the tensors do not say.

    Attributes:
        conv_clamp: Limit of the activations, or None.
        mapping_lr_multiplier: Built into the scale of the mapping.
        resample_filter: Of the convolutions that enlarge, ``[taps]`` or ``[fh, fw]``, summing to 1.
        rgb_filter: The same of the image.
        channel_base: As the file states it; used if it explains the shapes.
        num_fp16_res: How many resolutions NVIDIA's code computes in half precision.
        z_dim: Dimensions of z as the file states them.
        label_dim: Number of classes as the file states it.
        z_as_wide_as_w: Whether z has as many dimensions as w in all such networks.
    """

    conv_clamp: float | None = None
    mapping_lr_multiplier: float = 0.01
    resample_filter: Tensor | None = None
    rgb_filter: Tensor | None = None
    channel_base: int | None = None
    num_fp16_res: int = 0
    z_dim: int | None = None
    label_dim: int | None = None
    z_as_wide_as_w: bool = False


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
    classes = 0 if embed is None else embed.shape[1]
    z_dim = _z_dim(tensors["mapping.layers.0.weight"].shape[1], w_dim, classes, unshaped, where)
    taps = taps_of(unshaped.resample_filter, where)
    rgb_taps = taps_of(unshaped.rgb_filter, where)
    try:
        return StyleGAN2Config(
            resolution=StyleGAN2Config.resolution_of(last),
            z_dim=z_dim,
            w_dim=w_dim,
            label_dim=classes,
            channel_base=base,
            channel_max=most,
            mapping_layers=depth,
            mapping_lr_multiplier=unshaped.mapping_lr_multiplier,
            conv_clamp=unshaped.conv_clamp,
            resample_taps=taps,
            num_fp16_res=unshaped.num_fp16_res,
            rgb_resample_taps=None if rgb_taps == taps else rgb_taps,
        )
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}") from error


def _z_dim(inputs: int, w_dim: int, classes: int, unshaped: Unshaped, where: str) -> int:
    """Dimensions of z, where nothing says that the embedding of classes was left out.

    With classes, the first layer takes z and the embedded class, which is as wide as w.
    """
    z_dim = inputs - (w_dim if classes else 0)
    wanted = unshaped.z_dim
    silent = wanted is None and unshaped.label_dim is None and inputs > w_dim
    if not classes and (silent or (unshaped.z_as_wide_as_w and inputs != w_dim)):
        raise GeneratorError(
            f"{where}: first layer of the mapping",
            got=f"{inputs} inputs for a w of {w_dim}, and no embedding of classes",
            expected=f"{w_dim} inputs",
            remedy="it has another z, or classes whose embedding was left out when it was "
            "exported; open the file it was exported from",
        )
    if unshaped.label_dim and not classes:
        raise GeneratorError(
            f"{where}: embedding of classes",
            got="none",
            expected="one, since the network has classes",
            remedy="it was left out when the file was written; open the file it was made from",
        )
    if wanted is not None and wanted != z_dim:
        raise GeneratorError(f"{where}: z_dim", got=wanted, expected=f"{z_dim}, as its shapes say")
    return z_dim


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


def one_filter(filters: Mapping[str, object], where: str) -> Tensor | None:
    """The filter that all of these are, by the names of the file; None if there are none.

    Raises:
        GeneratorError: If they differ, or are not filters.
    """
    first: tuple[str, Tensor] | None = None
    for name, kernel in filters.items():
        if not is_float(kernel) or kernel.numel() > _MOST or not torch.isfinite(kernel).all():
            raise GeneratorError(f"{where}: {name}", got="something else", expected="a filter")
        if first is None:
            first = name, kernel
        elif not torch.equal(first[1].float(), kernel.float()):
            raise GeneratorError(
                f"{where}: resampling filters",
                got=f"two that differ, {first[0]} and {name}",
                expected="one for all convolutions and one for the image",
            )
    return None if first is None else first[1]


def filter_taps(kernel: object) -> Sequence[float] | None:
    """One-dimensional taps of a filter ``[taps]`` or ``[fh, fw]``, None if it has none."""
    if not isinstance(kernel, Tensor) or kernel.dtype not in FLOATS:
        return None
    if kernel.ndim not in (1, 2) or not 0 < kernel.numel() <= _MOST:
        return None
    kernel = kernel.detach().float()
    if kernel.shape == (4, 4) and torch.allclose(kernel, filter_from_taps(_USUAL_TAPS)):
        return _USUAL_TAPS
    taps = kernel if kernel.ndim == 1 else kernel.sum(1)
    if len(taps) > MOST_TAPS or not torch.isfinite(kernel).all() or taps.sum() == 0:
        return None
    rebuilt = filter_from_taps(taps)
    fits = rebuilt.shape == kernel.shape and torch.allclose(rebuilt, kernel, atol=1e-6)
    return [float(tap) for tap in taps] if fits else None


def taps_of(kernel: Tensor | None, where: str) -> tuple[float, ...]:
    """Taps of a filter, the usual ones where there is none.

    Raises:
        GeneratorError: If it is not separable, or does not sum to 1.
    """
    taps = _USUAL_TAPS if kernel is None else filter_taps(kernel)
    if taps is None:
        assert kernel is not None
        raise GeneratorError(
            f"{where}: resampling filter",
            got=f"one of {list(kernel.shape)} that is not a product of one row with itself, "
            "summing to 1",
            expected="a separable one, [1, 3, 3, 1] for instance",
        )
    return tuple(taps)
