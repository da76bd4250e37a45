"""Rosinality's names for a discriminator: residual blocks, one channel of batch deviation.

``convs.0`` takes the colours, ``convs.1`` and on are the blocks from the largest resolution down,
``final_conv`` and ``final_linear`` follow. Where a layer blurs first, its convolution is entry 1
of a sequence, else entry 0; the bias is one entry further, with the activation.

Letters: r resolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.discriminator import Discriminator, DiscriminatorConfig
from regen.generators.stylegan2.foreign.architecture import one_filter, taps_of
from regen.generators.stylegan2.foreign.modules import as_number, as_tensor, is_float
from stylegan2_ops import filter_from_taps

_MOST_BLOCKS = 12
_EXTRA = "discriminator_"  # begins the entries for what the format cannot say


def read_discriminator(
    state: Mapping[str, Any], extra: Mapping[str, Any], where: str
) -> Discriminator:
    """The discriminator of a state of rosinality's network.

    Args:
        state: Tensors by rosinality's names.
        extra: What `discriminator_extra` wrote, or nothing.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If it lacks what makes one.
        StoreError: If shapes contradict each other.
    """
    blocks = sum(f"convs.{i + 1}.conv1.0.weight" in state for i in range(_MOST_BLOCKS))
    state = {name: as_tensor(tensor) for name, tensor in state.items() if isinstance(name, str)}
    names = {theirs: ours for ours, theirs in _names(blocks)}
    found = {names[name]: t for name, t in state.items() if name in names and is_float(t)}
    top = 4 << blocks
    biases = [found.get(f"b{top}.conv0.bias")]
    biases += [found.get(f"b{top >> i}.conv1.bias") for i in range(blocks)]
    last = found.get("b4.conv.weight")
    whole = all(isinstance(bias, Tensor) and bias.ndim == 1 for bias in biases)
    if blocks == 0 or not whole or not isinstance(last, Tensor) or last.ndim != 4:
        raise GeneratorError(f"{where}: discriminator", got="no residual blocks")
    kernel = one_filter({n: k for n, k in state.items() if n.endswith(".0.kernel")}, where)
    config = DiscriminatorConfig(
        resolution=top,
        architecture="resnet",
        channels=tuple(len(bias) for bias in biases if bias is not None),
        stddev_channels=int(last.shape[1] - last.shape[0]),
        conv_clamp=as_number(extra.get(f"{_EXTRA}conv_clamp")),
        num_fp16_res=int(as_number(extra.get(f"{_EXTRA}num_fp16_res")) or 0),
        resample_taps=taps_of(kernel, where),
    )
    return Discriminator.checked(config, found, where)


def discriminator_extra(discriminator: Discriminator) -> dict[str, float | None]:
    """What rosinality's format cannot say of a discriminator."""
    config = discriminator.config
    return {
        f"{_EXTRA}conv_clamp": config.conv_clamp,
        f"{_EXTRA}num_fp16_res": config.num_fp16_res,
    }


def write_discriminator(discriminator: Discriminator) -> dict[str, Tensor]:
    """The state of rosinality's network.

    Raises:
        GeneratorError: If it is one that rosinality's cannot be.
    """
    config = discriminator.config
    plain = config.stddev_channels == 1 and config.stddev_group == 4
    if config.architecture != "resnet" or config.label_dim or not plain:
        raise GeneratorError(
            "rosinality's discriminator",
            got=f"{config.architecture}, {config.label_dim} classes, "
            f"{config.stddev_channels} deviation channels of {config.stddev_group}",
            expected="resnet, 0 classes, 1 deviation channels of 4",
        )
    names = dict(_names(len(config.channels) - 1))
    state = {names[ours]: t.detach().cpu() for ours, t in discriminator.tensors.items()}
    kernel = filter_from_taps(config.resample_taps)
    if kernel.ndim == 1:
        kernel = torch.outer(kernel, kernel)
    for i in range(len(config.channels) - 1):
        state[f"convs.{i + 1}.conv2.0.kernel"] = kernel.clone()
        state[f"convs.{i + 1}.skip.0.kernel"] = kernel.clone()
    return state


def _names(blocks: int) -> Iterator[tuple[str, str]]:
    """Our name and rosinality's of every tensor."""
    top = 4 << blocks
    yield from _pair(f"b{top}.fromrgb", "convs.0", 0)
    for i in range(blocks):
        ours, theirs = f"b{top >> i}", f"convs.{i + 1}"
        yield from _pair(f"{ours}.conv0", f"{theirs}.conv1", 0)
        yield from _pair(f"{ours}.conv1", f"{theirs}.conv2", 1)
        yield f"{ours}.skip.weight", f"{theirs}.skip.1.weight"
    yield from _pair("b4.conv", "final_conv", 0)
    for number, layer in enumerate(("fc", "out")):
        for part in ("weight", "bias"):
            yield f"b4.{layer}.{part}", f"final_linear.{number}.{part}"


def _pair(ours: str, theirs: str, start: int) -> Iterator[tuple[str, str]]:
    yield f"{ours}.weight", f"{theirs}.{start}.weight"
    yield f"{ours}.bias", f"{theirs}.{start + 1}.bias"
