"""Write a discriminator as NVIDIA's torch code has it; see `nvidia_writer`.

Letters: r resolution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from regen.generators.stylegan2.discriminator import Discriminator, DiscriminatorConfig
from regen.generators.stylegan2.foreign.emitter import Call
from regen.generators.stylegan2.foreign.persistent import (
    USUAL_TAPS,
    dense,
    in_half,
    mapping,
    persistent,
)
from stylegan2_ops import filter_from_taps

Tensors = Mapping[str, Tensor]


def discriminator_object(discriminator: Discriminator) -> Call:
    """The object that NVIDIA's loader makes a Discriminator of."""
    config = discriminator.config
    tensors = {name: t.detach().cpu().contiguous() for name, t in discriminator.tensors.items()}
    image = {"img_resolution": config.resolution, "img_channels": 3}
    modules: dict[str, Call] = {}
    layers = 0
    for r in config.resolutions():
        modules[f"b{r}"] = _block(config, tensors, r, layers)
        layers += len(_convolutions(config, r))
    if config.label_dim:
        mapped = {
            "z_dim": 0,
            "c_dim": config.label_dim,
            "w_dim": config.label_features,
            "num_ws": None,
            "num_layers": config.mapping_layers,
            "w_avg_beta": None,
        }
        modules["mapping"] = mapping(tensors, mapped, config.mapping_lr_multiplier)
    modules["b4"] = _epilogue(config, tensors)
    attributes = {
        "c_dim": config.label_dim,
        **image,
        "img_resolution_log2": config.resolution.bit_length() - 1,
        "block_resolutions": config.resolutions(),
    }
    return persistent("Discriminator", attributes, modules=modules, arguments=_arguments(config))


def _arguments(config: DiscriminatorConfig) -> dict[str, Any]:
    most = max(config.channels)
    falling = [config.at(r) * r for r in config.resolutions() if config.at(r) < most]
    return {
        "c_dim": config.label_dim,
        "img_resolution": config.resolution,
        "img_channels": 3,
        "architecture": config.architecture,
        "channel_base": max(falling, default=most * config.resolution),
        "channel_max": most,
        "num_fp16_res": config.num_fp16_res,
        "conv_clamp": config.conv_clamp,
        "cmap_dim": config.label_features or None,
        "block_kwargs": {"resample_filter": list(config.resample_taps)},
        "mapping_kwargs": {
            "num_layers": config.mapping_layers,
            "lr_multiplier": config.mapping_lr_multiplier,
        },
        "epilogue_kwargs": {
            "mbstd_group_size": config.stddev_group,
            "mbstd_num_channels": config.stddev_channels,
        },
    }


def _convolutions(config: DiscriminatorConfig, r: int) -> list[str]:
    """Names of the convolutions of a block, in the order they are counted."""
    colours = r == config.resolution or config.architecture == "skip"
    skip = ["skip"] if config.architecture == "resnet" else []
    return [*(["fromrgb"] if colours else []), "conv0", "conv1", *skip]


def _block(config: DiscriminatorConfig, tensors: Tensors, r: int, before: int) -> Call:
    names = _convolutions(config, r)
    attributes = {
        "in_channels": 0 if r == config.resolution else config.at(r),
        "resolution": r,
        "img_channels": 3,
        "first_layer_idx": before,
        "architecture": config.architecture,
        "use_fp16": in_half(r, config.resolution, config.num_fp16_res),
        "channels_last": False,
        "num_layers": len(names),
    }
    buffers = {"resample_filter": filter_from_taps(config.resample_taps)}
    modules = {name: _convolution(config, tensors, f"b{r}.{name}") for name in names}
    return persistent("DiscriminatorBlock", attributes, buffers=buffers, modules=modules)


def _convolution(config: DiscriminatorConfig, tensors: Tensors, name: str) -> Call:
    weight = tensors[f"{name}.weight"]
    outputs, inputs, kernel = weight.shape[:3]
    skip = name.endswith(".skip")
    down = 2 if skip or name.endswith(".conv1") else 1
    colours = name == "b4.fromrgb"  # the one layer that is never clamped but skips
    attributes: dict[str, Any] = {
        "in_channels": inputs,
        "out_channels": outputs,
        "activation": "linear" if skip else "lrelu",
        "up": 1,
        "down": down,
        "conv_clamp": None if skip or colours else config.conv_clamp,
        "padding": kernel // 2,
        "weight_gain": 1 / math.sqrt(inputs * kernel**2),
        "act_gain": 1.0 if skip else math.sqrt(2),
    }
    parameters = {"weight": weight}
    if skip:
        attributes["bias"] = None
    else:
        parameters["bias"] = tensors[f"{name}.bias"]
    taps = config.resample_taps if down == 2 else USUAL_TAPS
    buffers = {"resample_filter": filter_from_taps(taps)}
    return persistent("Conv2dLayer", attributes, parameters=parameters, buffers=buffers)


def _epilogue(config: DiscriminatorConfig, tensors: Tensors) -> Call:
    attributes: dict[str, Any] = {
        "in_channels": config.at(4),
        "cmap_dim": config.label_features,
        "resolution": 4,
        "img_channels": 3,
        "architecture": config.architecture,
    }
    modules: dict[str, Call] = {}
    if config.architecture == "skip":
        modules["fromrgb"] = _convolution(config, tensors, "b4.fromrgb")
    if config.stddev_channels:
        deviation = {"group_size": config.stddev_group, "num_channels": config.stddev_channels}
        modules["mbstd"] = persistent("MinibatchStdLayer", deviation)
    else:
        attributes["mbstd"] = None
    modules["conv"] = _convolution(config, tensors, "b4.conv")
    modules["fc"] = dense(tensors, "b4.fc", act="lrelu")
    modules["out"] = dense(tensors, "b4.out")
    return persistent("DiscriminatorEpilogue", attributes, modules=modules)
