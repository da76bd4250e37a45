"""Write a generator as a pickle that stylegan2-ada-pytorch, stylegan3 and DragGAN open.

The objects in it are those of `persistent`: classes of the repository the pickle is opened in, with
the attributes that either repository reads, around the generator's own tensors.

Names and attributes are facts of the public repositories NVlabs/stylegan2-ada-pytorch and
NVlabs/stylegan3; nothing here is their code.

Letters: r resolution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from regen.files.atomic import atomic_write
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.emitter import Call, emit
from regen.generators.stylegan2.foreign.naming import generator_rows
from regen.generators.stylegan2.foreign.nvidia_discriminator_writer import discriminator_object
from regen.generators.stylegan2.foreign.persistent import (
    EMPTY,
    USUAL_TAPS,
    dense,
    in_half,
    mapping,
    persistent,
)
from regen.generators.stylegan2.generator import StyleGAN2
from stylegan2_ops import filter_from_taps

_GAIN = math.sqrt(2)  # of the leaky ReLU

Tensors = Mapping[str, Tensor]


def write_nvidia(
    path: Path | str, generator: StyleGAN2, discriminator: Discriminator | None = None
) -> list[str]:
    """Write a snapshot ``{G, D, G_ema, ...}``, whole or not at all.

    G and G_ema are one and the same network. Without a discriminator D is an empty network,
    because the loaders ask for one.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        StoreError: If the file cannot be written.
    """
    network = _generator(generator)
    notes = []
    if discriminator is None:
        judge = persistent(EMPTY, {})
        notes.append("there is no discriminator to write: D is empty, so training cannot continue")
    else:
        judge = discriminator_object(discriminator)
    snapshot = {
        "G": network,
        "D": judge,
        "G_ema": network,
        "training_set_kwargs": None,
        "augment_pipe": None,
    }
    with atomic_write(path) as part, part.open("wb") as file:
        emit(snapshot, file)
    return notes


def _generator(generator: StyleGAN2) -> Call:
    config, ours = generator.config, generator.state_dict()
    rows = generator_rows(config.resolution, config.mapping_layers, config.label_dim > 0)
    tensors = {row.nvidia: ours[row.ours].detach().cpu().contiguous() for row in rows}
    common = {"z_dim": config.z_dim, "c_dim": config.label_dim, "w_dim": config.w_dim}
    image = {"img_resolution": config.resolution, "img_channels": 3}
    codes = config.convolutions + 1
    mapped = {**common, "num_ws": codes, "num_layers": config.mapping_layers, "w_avg_beta": 0.998}
    lr = config.mapping_lr_multiplier
    modules = {
        "synthesis": _synthesis(config, tensors, {"w_dim": config.w_dim, **image}),
        "mapping": mapping(tensors, mapped, lr, tensors["mapping.w_avg"]),
    }
    arguments = {
        **common,
        **image,
        "mapping_kwargs": {"num_layers": config.mapping_layers, "lr_multiplier": lr},
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
        "num_fp16_res": config.num_fp16_res,
        "conv_clamp": config.conv_clamp,
        "resample_filter": list(config.resample_taps),
    }
    attributes = {**common, **image, "num_ws": codes}
    return persistent("Generator", attributes, modules=modules, arguments=arguments)


def _synthesis(config: StyleGAN2Config, tensors: Tensors, own: Mapping[str, Any]) -> Call:
    resolutions = [4 << i for i in range(config.resolution.bit_length() - 2)]
    attributes = {
        **own,
        "img_resolution_log2": config.resolution.bit_length() - 1,
        "num_fp16_res": config.num_fp16_res,
        "block_resolutions": resolutions,
        "num_ws": config.convolutions + 1,
    }
    modules = {f"b{r}": _block(config, tensors, r) for r in resolutions}
    return persistent("SynthesisNetwork", attributes, modules=modules)


def _block(config: StyleGAN2Config, tensors: Tensors, r: int) -> Call:
    name, first, outputs = f"synthesis.b{r}", r == 4, config.channels(r)
    inputs = 0 if first else config.channels(r // 2)
    attributes = {
        "in_channels": inputs,
        "w_dim": config.w_dim,
        "resolution": r,
        "img_channels": 3,
        "is_last": r == config.resolution,
        "architecture": "skip",
        "use_fp16": in_half(r, config.resolution, config.num_fp16_res),
        "channels_last": False,
        "fused_modconv_default": True,
        "num_conv": 1 if first else 2,
        "num_torgb": 1,
    }
    modules = {} if first else {"conv0": _layer(config, tensors, f"{name}.conv0", r, up=2)}
    modules["conv1"] = _layer(config, tensors, f"{name}.conv1", r, up=1)
    weight, affine = f"{name}.torgb.weight", dense(tensors, f"{name}.torgb.affine")
    modules["torgb"] = persistent(
        "ToRGBLayer",
        {
            "in_channels": outputs,
            "out_channels": 3,
            "w_dim": config.w_dim,
            "conv_clamp": config.conv_clamp,
            "weight_gain": 1 / math.sqrt(outputs),
        },
        parameters={"weight": tensors[weight], "bias": tensors[f"{name}.torgb.bias"]},
        modules={"affine": affine},
    )
    taps = config.rgb_resample_taps or config.resample_taps
    buffers = {"resample_filter": filter_from_taps(taps)}
    parameters = {"const": tensors[f"{name}.const"]} if first else {}
    return persistent(
        "SynthesisBlock", attributes, parameters=parameters, buffers=buffers, modules=modules
    )


def _layer(config: StyleGAN2Config, tensors: Tensors, name: str, r: int, up: int) -> Call:
    outputs, inputs = tensors[f"{name}.weight"].shape[:2]
    attributes = {
        "in_channels": inputs,
        "out_channels": outputs,
        "w_dim": config.w_dim,
        "resolution": r,
        "up": up,
        "use_noise": True,
        "activation": "lrelu",
        "conv_clamp": config.conv_clamp,
        "padding": 1,
        "act_gain": _GAIN,
    }
    taps = config.resample_taps if up == 2 else USUAL_TAPS  # where nothing is resampled
    return persistent(
        "SynthesisLayer",
        attributes,
        parameters={p: tensors[f"{name}.{p}"] for p in ("weight", "noise_strength", "bias")},
        buffers={
            "resample_filter": filter_from_taps(taps),
            "noise_const": tensors[f"{name}.noise_const"],
        },
        modules={"affine": dense(tensors, f"{name}.affine")},
    )
