"""Read and write the checkpoints of rosinality's stylegan2-pytorch.

Such a file is what ``torch.save`` made of a dict: ``g_ema`` (and ``g``, ``d``, optimisers,
arguments) hold the tensors of networks by name, ``latent_avg`` the mean of w. RDGM, StyleGAN-NADA,
JoJoGAN and GANSketching use it; pSp and e4e keep the same tensors under ``decoder.``. Its networks
have no clamp, no classes and z as wide as w. Size, channels, depth and widths are in the shapes.

What the format cannot say (`_EXTRA`) is put beside the networks under ``regen``, which other tools
ignore, so that a generator comes back as it was.

Facts of the public repository rosinality/stylegan2-pytorch; nothing here is its code.

Letters: r resolution; W dimensions of w.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError, RegenError
from regen.files.atomic import write_bytes
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.architecture import Unshaped, one_filter
from regen.generators.stylegan2.foreign.modules import as_dict, as_integer, as_number, as_tensor
from regen.generators.stylegan2.foreign.naming import (
    LATENT_AVERAGE,
    Kind,
    Row,
    from_rosinality,
    generator_rows,
    to_rosinality,
)
from regen.generators.stylegan2.foreign.places import choose_place, find_places
from regen.generators.stylegan2.foreign.rebuild import (
    collect,
    missing_network,
    readable,
    rebuild,
)
from regen.generators.stylegan2.foreign.rosinality_discriminator import (
    discriminator_extra,
    read_discriminator,
    write_discriminator,
)
from regen.generators.stylegan2.generator import StyleGAN2
from stylegan2_ops import filter_from_taps

_INPUT = "input.input"  # only this network has a tensor of this name
_LAST = "final_linear.1.weight"  # only its discriminator has
_EXTRA = ("conv_clamp", "num_fp16_res", "mapping_lr_multiplier", "channel_base")
_EXTRA_RANK: dict[Kind, int] = {
    "convolution": 1,
    "enlarging_convolution": 1,
    "constant": 1,
    "noise_strength": 1,
    "noise": 2,
    "rgb_bias": 3,
}
_GAIN = 4  # the filters of rosinality's enlarging layers carry the square of the factor 2


def is_rosinality(value: object) -> bool:
    """Whether an unpickled value holds a generator of rosinality's."""
    return bool(find_places(value, _INPUT))


def read_rosinality(value: object, which: str, where: str) -> Checkpoint:
    """The generator `which`, and the discriminator beside it.

    Args:
        value: For which `is_rosinality` holds.
        which: "G_ema" or "G". A file with one network only gives that for "G_ema".
        where: Begins the message of an error.

    Raises:
        GeneratorError: If there is no such generator, or it cannot be one of ours.
        StoreError: If shapes contradict each other.
    """
    content, places = as_dict(value), find_places(value, _INPUT)
    place = choose_place(places, which, where)
    if place is None:
        raise missing_network(where, which, ["G" if p.is_trained else "G_ema" for p in places])
    tensors = dict(place.tensors)
    mean = as_tensor(place.beside.get(LATENT_AVERAGE, content.get(LATENT_AVERAGE)))
    if isinstance(mean, Tensor):
        tensors[LATENT_AVERAGE] = _one_mean(mean)
    rows = generator_rows(_resolution(tensors, where), _depth(tensors, where), False)
    collected = collect(rows, tensors, _name, where, layout=from_rosinality, extra_rank=_EXTRA_RANK)
    extra = as_dict(content.get("regen"))
    generator, notes = rebuild(collected, _unshaped(tensors, extra, where), where)
    found, why = None, None
    against = find_places(value, _LAST)
    state = against[0].tensors if against else as_dict(content.get("d"))
    if state:
        found, why = readable(lambda: read_discriminator(state, extra, where))
    origin = f"checkpoint of rosinality's, {place.name}"
    return Checkpoint(generator, found, origin, tuple(notes), why)


def write_rosinality(
    path: Path | str, generator: StyleGAN2, discriminator: Discriminator | None = None
) -> list[str]:
    """Write ``{"g_ema", "latent_avg", ...}``, whole or not at all.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        GeneratorError: If the format has no room for such a generator.
        StoreError: If the file cannot be written.
    """
    config, notes = generator.config, []
    if config.label_dim or config.z_dim != config.w_dim:
        got = "classes" if config.label_dim else f"z of {config.z_dim} and w of {config.w_dim}"
        raise GeneratorError(
            f"{path}: rosinality's format",
            got=f"a generator with {got}",
            expected="one without" if config.label_dim else "z and w of equal size",
            remedy="write .safetensors or .pkl",
        )
    content: dict[str, Any] = {"g_ema": _state(generator)}
    content[LATENT_AVERAGE] = content["g_ema"].pop(LATENT_AVERAGE)
    content["regen"] = {name: getattr(config, name) for name in _EXTRA}
    if config.conv_clamp is not None:
        notes.append(f"other tools will not clamp activations at {config.conv_clamp:g}")
    if [config.channels(r) for r in (4, 8, 16, 32)] != [512] * 4:
        notes.append("rosinality's own class has 512 channels up to 32x32; this one has fewer")
    if discriminator is not None:
        try:
            content["d"] = write_discriminator(discriminator)
            content["regen"] |= discriminator_extra(discriminator)
        except RegenError as error:
            notes.append(f"the discriminator is left behind: {error}")
    buffer = io.BytesIO()  # torch's own writing to a disk that is full ends in many kinds of error
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())
    return notes


def _name(row: Row) -> str | None:
    return row.rosinality


def _resolution(tensors: Mapping[str, Any], where: str) -> int:
    numbers = sum(f"convs.{i}.conv.weight" in tensors for i in range(len(tensors)))
    if numbers < 2 or numbers % 2 or numbers > 24:
        raise GeneratorError(f"{where}: convolutions", got=numbers + 1, expected="3, 5, 7, ...")
    return int(4 << (numbers // 2))


def _depth(tensors: Mapping[str, Any], where: str) -> int:
    depth = sum(f"style.{i + 1}.weight" in tensors for i in range(len(tensors)))
    if depth == 0:
        raise GeneratorError(f"{where}: mapping network", got="no layers", expected="at least 1")
    return depth


def _unshaped(tensors: Mapping[str, Any], extra: Mapping[str, Any], where: str) -> Unshaped:
    kernels = {name: tensor for name, tensor in tensors.items() if name.endswith(".kernel")}
    convolutions = {n: k for n, k in kernels.items() if n.endswith(".conv.blur.kernel")}
    images = {n: k for n, k in kernels.items() if n.endswith(".upsample.kernel")}
    kernel = one_filter(convolutions or images, where)
    image = one_filter(images or convolutions, where)
    return Unshaped(
        conv_clamp=as_number(extra.get("conv_clamp")),
        mapping_lr_multiplier=as_number(extra.get("mapping_lr_multiplier")) or 0.01,
        resample_filter=None if kernel is None else kernel.float() / _GAIN,
        rgb_filter=None if image is None else image.float() / _GAIN,
        channel_base=as_integer(extra.get("channel_base")),
        num_fp16_res=as_integer(extra.get("num_fp16_res")) or 0,
        z_as_wide_as_w=True,
    )


def _one_mean(mean: Tensor) -> Tensor:
    """The mean ``[W]`` of what some tools keep once for each layer, ``[L + 1, W]``."""
    if mean.ndim < 2 or mean.numel() == 0:
        return mean
    rows = mean.reshape(-1, mean.shape[-1])
    if not mean.is_floating_point() or bool((rows == rows[0]).all()):
        return rows[0]
    return rows.mean(0)


def _state(generator: StyleGAN2) -> dict[str, Tensor]:
    """The tensors by rosinality's names, the mean of w among them."""
    config, ours = generator.config, generator.state_dict()
    state = {}
    for row in generator_rows(config.resolution, config.mapping_layers, False):
        assert row.rosinality is not None
        laid_out = to_rosinality(row.kind, ours[row.ours].detach().cpu())
        state[row.rosinality] = laid_out.contiguous()
    for i in range((config.convolutions - 1) // 2):
        state[f"convs.{2 * i}.conv.blur.kernel"] = _kernel(config.resample_taps)
        taps = config.rgb_resample_taps or config.resample_taps
        state[f"to_rgbs.{i}.upsample.kernel"] = _kernel(taps)
    return state


def _kernel(taps: Sequence[float]) -> Tensor:
    kernel = filter_from_taps(taps) * _GAIN
    return torch.outer(kernel, kernel) / _GAIN if kernel.ndim == 1 else kernel
