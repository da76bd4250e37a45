"""Read a discriminator of NVIDIA's TensorFlow code, as data that travels with its generator.

Letters: r resolution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import MOST_TAPS
from regen.generators.stylegan2.discriminator import (
    Architecture,
    Discriminator,
    DiscriminatorConfig,
)
from regen.generators.stylegan2.foreign.architecture import taps_of
from regen.generators.stylegan2.foreign.modules import as_integer, as_number
from stylegan2_ops import filter_from_taps

_LAYERS = (
    (re.compile(r"(\d{1,5})x\1/FromRGB"), r"b\1.fromrgb"),
    (re.compile(r"4x4/Conv"), "b4.conv"),
    (re.compile(r"4x4/Dense0"), "b4.fc"),
    (re.compile(r"Output"), "b4.out"),
    (re.compile(r"(\d{1,5})x\1/Conv0"), r"b\1.conv0"),
    (re.compile(r"(\d{1,5})x\1/Conv1_down"), r"b\1.conv1"),
    (re.compile(r"(\d{1,5})x\1/Skip"), r"b\1.skip"),
    (re.compile(r"LabelEmbed"), "mapping.embed"),
    (re.compile(r"Mapping(\d{1,2})"), r"mapping.fc\1"),
)


def read_discriminator(
    variables: Mapping[str, Tensor], arguments: Mapping[str, Any], where: str
) -> Discriminator:
    """The discriminator with these variables.

    Args:
        variables: By TensorFlow's names.
        arguments: What the network was built with.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If `DiscriminatorConfig` cannot describe it.
        StoreError: If shapes contradict each other.
    """
    tensors = dict(filter(None, (_ours(name, tensor) for name, tensor in variables.items())))
    matches = (re.fullmatch(r"b(\d+)\.conv1\.bias", name) for name in tensors)
    top = max((int(match[1]) for match in matches if match), default=0)
    last = tensors.get("b4.conv.weight")
    biases = [tensors.get(f"b{top}.conv0.bias")]
    biases += [tensors.get(f"b{1 << i}.conv1.bias") for i in range(top.bit_length() - 1, 2, -1)]
    whole = all(bias is not None and bias.ndim == 1 for bias in biases)
    if not whole or last is None or last.ndim != 4:
        raise GeneratorError(f"{where}: discriminator", got="one of a form that is not known")
    embed = tensors.get("mapping.embed.weight")
    if embed is not None and embed.ndim != 2:
        raise GeneratorError(f"{where}: discriminator", got=f"labels {list(embed.shape)}")
    kernel = resample_kernel(arguments, where)
    group = as_integer(arguments.get("mbstd_group_size", 4))
    config = DiscriminatorConfig(
        resolution=top,
        architecture=_architecture(tensors),
        channels=tuple(len(bias) for bias in biases if bias is not None),
        label_dim=0 if embed is None else embed.shape[-1],
        label_features=0 if embed is None else len(embed),
        mapping_layers=sum(f"mapping.fc{i}.bias" in tensors for i in range(100)),
        mapping_lr_multiplier=as_number(arguments.get("mapping_lrmul")) or 0.1,
        stddev_group=group if group is not None and group > 0 else None,
        stddev_channels=int(last.shape[1] - last.shape[0]),
        conv_clamp=as_number(arguments.get("conv_clamp")),
        resample_taps=taps_of(kernel, where),
        num_fp16_res=as_integer(arguments.get("num_fp16_res")) or 0,
    )
    return Discriminator.checked(config, tensors, where)


def resample_kernel(arguments: Mapping[str, Any], where: str) -> Tensor:
    """The filter that a network was built with, ``[taps]`` or ``[fh, fw]``.

    Raises:
        GeneratorError: If they are not numbers.
    """
    taps = arguments.get("resample_kernel", [1, 3, 3, 1])
    taps = [1, 1] if taps is None else taps  # TensorFlow's code then repeats pixels
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.asarray(taps, dtype=np.float32)
        if array.size > MOST_TAPS**2 or len(array) > MOST_TAPS:
            raise ValueError("a filter of so many taps")
        return filter_from_taps(torch.as_tensor(array))
    except (TypeError, ValueError, OverflowError) as error:
        raise GeneratorError(f"{where}: resample_kernel", got=str(taps)[:40]) from error


def _ours(name: str, tensor: Tensor) -> tuple[str, Tensor] | None:
    """Name and layout of ours, None for what a discriminator does not need (``lod``)."""
    layer, _, part = name.rpartition("/")
    for pattern, ours in _LAYERS:
        match = pattern.fullmatch(layer)
        if match and part in ("weight", "bias"):
            if tensor.ndim == 4:
                tensor = tensor.permute(3, 2, 0, 1).contiguous()
            elif tensor.ndim == 2:
                tensor = tensor.T.contiguous()
            return f"{match.expand(ours)}.{part}", tensor
    return None


def _architecture(tensors: Mapping[str, torch.Tensor]) -> Architecture:
    if "b8.skip.weight" in tensors:
        return "resnet"
    return "skip" if "b4.fromrgb.weight" in tensors else "orig"
