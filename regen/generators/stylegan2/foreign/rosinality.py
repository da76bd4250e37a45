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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError, RegenError
from regen.files.atomic import write_bytes
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.architecture import Unshaped
from regen.generators.stylegan2.foreign.modules import as_dict, as_number
from regen.generators.stylegan2.foreign.naming import (
    LATENT_AVERAGE,
    Kind,
    Row,
    from_rosinality,
    generator_rows,
    to_rosinality,
)
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

_PLACES = {"G_ema": ("g_ema", "g", "state_dict", "params_ema", "params"), "G": ("g",)}
_INPUT = "input.input"  # only this network has a tensor of this name
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
    return bool(_networks(as_dict(value)))


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
    content = as_dict(value)
    networks = _networks(content)
    place = next((name for name in (*_PLACES[which], "") if name in networks), None)
    if place is None:
        there = ["G" if name == "g" else "G_ema" for name in networks]
        raise missing_network(where, which, there)
    tensors = dict(networks[place])
    mean = content.get(LATENT_AVERAGE)
    if isinstance(mean, Tensor):
        tensors[LATENT_AVERAGE] = _one_mean(mean)
    rows = generator_rows(_resolution(tensors, where), _depth(tensors, where), False)
    collected = collect(rows, tensors, _name, where, layout=from_rosinality, extra_rank=_EXTRA_RANK)
    extra = as_dict(content.get("regen"))
    generator, notes = rebuild(collected, _unshaped(tensors, extra), where)
    found, why = None, None
    state = as_dict(content.get("d"))
    if state:
        found, why = readable(lambda: read_discriminator(state, extra, where))
    origin = f"checkpoint of rosinality's, {place or 'one network'}"
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
            f"{path}: rosinality's format", got=f"a generator with {got}", expected="none of these"
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


def _networks(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Generators by where they are, "" for the whole; with what stands before their names cut off.

    >>> list(_networks({"g": {"module.input.input": 1}, "args": None}))
    ['g']
    """
    found = {}
    for place in ("", *dict.fromkeys(_PLACES["G_ema"])):
        state = content if place == "" else as_dict(content.get(place))
        keys = [key for key in state if isinstance(key, str) and key.endswith(_INPUT)]
        if keys:
            prefix = min(keys, key=len).removesuffix(_INPUT)
            names = [key for key in state if isinstance(key, str) and key.startswith(prefix)]
            found[place] = {name.removeprefix(prefix): state[name] for name in names}
    return found


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


def _unshaped(tensors: Mapping[str, Any], extra: Mapping[str, Any]) -> Unshaped:
    kernel = tensors.get("to_rgbs.0.upsample.kernel", tensors.get("convs.0.conv.blur.kernel"))
    base, half = extra.get("channel_base"), extra.get("num_fp16_res")
    return Unshaped(
        conv_clamp=as_number(extra.get("conv_clamp")),
        mapping_lr_multiplier=as_number(extra.get("mapping_lr_multiplier")) or 0.01,
        resample_filter=kernel / _GAIN if isinstance(kernel, Tensor) else None,
        channel_base=base if isinstance(base, int) else None,
        num_fp16_res=half if isinstance(half, int) and not isinstance(half, bool) else 0,
    )


def _one_mean(mean: Tensor) -> Tensor:
    """The mean ``[W]`` of what some tools keep once for each layer, ``[L + 1, W]``."""
    if mean.ndim < 2 or mean.numel() == 0:
        return mean
    rows = mean.reshape(-1, mean.shape[-1])
    return rows[0] if bool((rows == rows[0]).all()) else rows.mean(0)


def _state(generator: StyleGAN2) -> dict[str, Tensor]:
    """The tensors by rosinality's names, the mean of w among them."""
    config, ours = generator.config, generator.state_dict()
    state = {}
    for row in generator_rows(config.resolution, config.mapping_layers, False):
        assert row.rosinality is not None
        laid_out = to_rosinality(row.kind, ours[row.ours].detach().cpu())
        state[row.rosinality] = laid_out.contiguous()
    kernel = filter_from_taps(config.resample_taps) * _GAIN
    if kernel.ndim == 1:
        kernel = torch.outer(kernel, kernel) / _GAIN
    for i in range((config.convolutions - 1) // 2):
        state[f"convs.{2 * i}.conv.blur.kernel"] = kernel.clone()
        state[f"to_rgbs.{i}.upsample.kernel"] = kernel.clone()
    return state
