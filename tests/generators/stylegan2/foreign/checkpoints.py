"""Checkpoints of other tools with random weights, made from a generator of ours.

Names are spelled out here a second time, on purpose: a slip in `naming` shows as a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from tests.unpickling import writer

SMALL = {"z_dim": 8, "w_dim": 8, "channel_base": 128, "channel_max": 8, "mapping_layers": 2}
KERNEL = torch.outer(*[torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8] * 2)
Change = Callable[[str, dict[str, Any]], None]


def generator(**changes: Any) -> StyleGAN2:
    """A random one of 32x32 in which every tensor matters."""
    config = StyleGAN2Config(**{"resolution": 32, **SMALL, **changes})
    made = StyleGAN2(config).eval().requires_grad_(False)
    for name, tensor in made.named_parameters():
        if name.endswith(("bias", "noise_strength")):
            scale = 30 if name.startswith("mapping.layers") else 0.3
            tensor.add_(torch.randn_like(tensor) * scale)
    made.mapping.w_mean.normal_()
    return made


def image(of: StyleGAN2, psi: float = 0.7) -> Tensor:
    """Two samples, truncated, with the generator's own noise."""
    classes = of.config.label_dim
    label = torch.eye(classes)[[0, classes - 1]] if classes else None
    return of(of.seed_latents([0, 1], psi, label=label))


def nvidia_tensors(of: StyleGAN2) -> dict[str, Tensor]:
    """Parameters and buffers by the names of NVIDIA's torch code."""
    found = {"mapping.w_avg": of.mapping.w_mean, "synthesis.b4.const": of.synthesis.const}
    if of.mapping.embed is not None:
        found |= {f"mapping.embed.{n}": p for n, p in of.mapping.embed.named_parameters()}
    for i, layer in enumerate(of.mapping.layers):
        found |= {f"mapping.fc{i}.{n}": p for n, p in layer.named_parameters()}
    for number in range(1, of.convolutions + 1):
        side = 4 * 2 ** (number // 2)
        conv = of.conv(number)
        place = f"synthesis.b{side}.conv{number % 2}"
        found |= {f"{place}.{n}": p for n, p in conv.named_parameters()}
        found |= {f"{place}.noise_const": conv.noise_const, f"{place}.resample_filter": KERNEL}
        if number % 2:
            rgb = of.synthesis.rgbs[str(number)]
            found |= {f"synthesis.b{side}.torgb.{n}": p for n, p in rgb.named_parameters()}
            found[f"synthesis.b{side}.resample_filter"] = KERNEL
    return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


def nvidia_network(
    of: StyleGAN2,
    *,
    change: Change | None = None,
    tensors: dict[str, Tensor] | None = None,
    class_name: str = "Generator",
    **init_kwargs: Any,
) -> Any:
    """A generator as stylegan2-ada-pytorch and stylegan3 pickle it.

    Args:
        of: What it is.
        change: May change the attributes of each module, called with its dotted name.
        tensors: Instead of `nvidia_tensors`.
        class_name: Of the whole.
        init_kwargs: What the whole was made with.
    """
    config = of.config
    flat = nvidia_tensors(of) if tensors is None else tensors

    def attributes(name: str) -> dict[str, Any]:
        last = name.rpartition(".")[2]
        found: dict[str, Any] = {"_init_args": (), "_init_kwargs": {}}
        if last.startswith("fc"):
            found |= {"activation": "lrelu", "bias_gain": config.mapping_lr_multiplier}
        if last in ("conv0", "conv1", "torgb"):
            found |= {"conv_clamp": config.conv_clamp}
        if last in ("conv0", "conv1"):
            found |= {"activation": "lrelu", "use_noise": True}
        if last[:1] == "b" and last[1:].isdigit():
            found |= {"architecture": "skip", "use_fp16": int(last[1:]) > 8, "is_last": False}
        if name == "":
            found["_init_kwargs"] = writer.easy({"z_dim": config.z_dim, **init_kwargs})
        if change is not None:
            change(name, found)
        return found

    return module("", class_name, flat, attributes)


def module(
    name: str, class_name: str, flat: dict[str, Tensor], attributes: Callable[[str], dict[str, Any]]
) -> Any:
    """The module `name` and all in it, of tensors by dotted name."""
    start = f"{name}." if name else ""
    inside = {k.removeprefix(start): t for k, t in flat.items() if k.startswith(start)}
    own = {k: t for k, t in inside.items() if "." not in k}
    buffers = {"noise_const", "resample_filter", "w_avg"}
    children = dict.fromkeys(k.split(".")[0] for k in inside if "." in k)
    state = writer.module_state(
        {k: t for k, t in own.items() if k not in buffers},
        {k: t for k, t in own.items() if k in buffers},
        {child: module(f"{start}{child}", "Part", flat, attributes) for child in children},
        **attributes(name),
    )
    return writer.persistent(class_name, state)


def snapshot(g_ema: Any, **others: Any) -> dict[str, Any]:
    """What training writes."""
    return {"G": None, "D": None, "G_ema": g_ema, "augment_pipe": None, **others}


def discriminator_tensors(side: int = 32, channels: int = 8, **labels: int) -> dict[str, Tensor]:
    """A random residual discriminator by the names of NVIDIA's torch code."""
    shapes: dict[str, list[int]] = {f"b{side}.fromrgb": [channels, 3, 1, 1]}
    for r in (1 << i for i in range(side.bit_length() - 1, 2, -1)):
        shapes |= {f"b{r}.conv{i}": [channels, channels, 3, 3] for i in (0, 1)}
        shapes[f"b{r}.skip"] = [channels, channels, 1, 1]
    shapes |= {"b4.conv": [channels, channels + 1, 3, 3], "b4.fc": [channels, 16 * channels]}
    shapes["b4.out"] = [channels if labels else 1, channels]
    if labels:
        shapes |= {"mapping.embed": [channels, labels["classes"]]}
        shapes |= {"mapping.fc0": [channels, channels]}
    found = {f"{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    biased = (name for name in shapes if not name.endswith("skip"))
    return found | {f"{name}.bias": torch.randn(shapes[name][0]) for name in biased}


def discriminator_network(tensors: dict[str, Tensor]) -> Any:
    """A discriminator as stylegan2-ada-pytorch and stylegan3 pickle it."""

    def attributes(name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"architecture": "resnet", "conv_clamp": 256}
        found["bias_gain"] = 0.01 if name.startswith("mapping.fc") else 1
        return found | {"use_fp16": name in ("b32", "b16"), "activation": "lrelu"}

    flat = {**tensors, **{f"b{r}.conv1.resample_filter": KERNEL for r in (8, 16, 32)}}
    network = module("", "Discriminator", flat, attributes)
    last = network.arguments[0]["state"]["_modules"].items["b4"].arguments[0]["state"]
    deviation = writer.module_state({}, {}, {}, group_size=4, num_channels=1)
    last["_modules"].items["mbstd"] = writer.persistent("MinibatchStdLayer", deviation)
    return network


def whole_snapshot(of: StyleGAN2, tensors: dict[str, Tensor] | None = None) -> dict[str, Any]:
    """What training writes, with a discriminator: of these tensors, or one for the classes."""
    if tensors is None:
        classes = of.config.label_dim
        tensors = discriminator_tensors(**({"classes": classes} if classes else {}))
    return snapshot(nvidia_network(of), D=discriminator_network(tensors))


def tensorflow_variables(of: StyleGAN2) -> dict[str, dict[str, np.ndarray]]:
    """Variables of the network and its two parts, by the names of NVIDIA's TensorFlow code."""

    def dense(layer: Any, to: str, names: tuple[str, str], less: float) -> Iterator[Any]:
        yield f"{to}/{names[0]}", layer.weight.numpy().T.copy()
        yield f"{to}/{names[1]}", layer.bias.numpy() - np.float32(less)

    mapping, synthesis = {}, {"4x4/Const/const": of.synthesis.const.numpy()[None]}
    for i, layer in enumerate(of.mapping.layers):
        mapping |= dict(dense(layer, f"Dense{i}", ("weight", "bias"), 0))
    if of.mapping.embed is not None:
        mapping |= dict(dense(of.mapping.embed, "LabelEmbed", ("weight", "bias"), 0))
    for number in range(1, of.convolutions + 1):
        side, conv = 4 * 2 ** (number // 2), of.conv(number)
        kind = "Conv" if number == 1 else "Conv1" if number % 2 else "Conv0_up"
        weight = conv.weight.numpy().transpose(2, 3, 1, 0)
        place = f"{side}x{side}/{kind}"
        synthesis |= dict(dense(conv.affine, place, ("mod_weight", "mod_bias"), 1))
        synthesis[f"{place}/weight"] = weight[::-1, ::-1] if kind == "Conv0_up" else weight
        synthesis[f"{place}/bias"] = conv.bias.numpy()
        synthesis[f"{place}/noise_strength"] = np.float32(conv.noise_strength.item())
        synthesis[f"noise{number - 1}"] = conv.noise_const.numpy()[None, None]
        if number % 2:
            rgb: Any = of.synthesis.rgbs[str(number)]
            place = f"{side}x{side}/ToRGB"
            synthesis |= dict(dense(rgb.affine, place, ("mod_weight", "mod_bias"), 1))
            synthesis[f"{place}/weight"] = rgb.weight.numpy().transpose(2, 3, 1, 0)
            synthesis[f"{place}/bias"] = rgb.bias.numpy()
    own = {"lod": np.float32(0), "dlatent_avg": of.mapping.w_mean.numpy()}
    return {"own": own, "mapping": mapping, "synthesis": synthesis}


def tensorflow_network(of: StyleGAN2, **arguments: Any) -> Any:
    """A generator as NVIDIA's TensorFlow code pickles it."""
    found = tensorflow_variables(of)
    arguments = {"resolution": of.resolution, "fmap_base": of.config.channel_base // 2, **arguments}
    parts = {
        name: writer.tensorflow_network(f"G_{name}", arguments, found[name])
        for name in ("mapping", "synthesis")
    }
    return writer.tensorflow_network("Gs", arguments, found["own"], **parts)


def write(path: Path, value: object) -> Path:
    """A bare pickle."""
    return writer.write_pickle(path, value)


def rosinality_tensors(of: StyleGAN2) -> dict[str, Tensor]:
    """The state of rosinality's generator."""
    found = {"input.input": of.synthesis.const[None]}
    for i, layer in enumerate(of.mapping.layers):
        found |= {f"style.{i + 1}.{n}": p for n, p in layer.named_parameters()}
    for number in range(1, of.convolutions + 1):
        conv: Any = of.conv(number)
        place = "conv1" if number == 1 else f"convs.{number - 2}"
        found[f"{place}.conv.weight"] = conv.weight[None]
        found[f"{place}.conv.modulation.weight"] = conv.affine.weight
        found[f"{place}.conv.modulation.bias"] = conv.affine.bias
        found[f"{place}.noise.weight"] = conv.noise_strength[None]
        found[f"{place}.activate.bias"] = conv.bias
        found[f"noises.noise_{number - 1}"] = conv.noise_const[None, None]
        if number % 2 == 0:
            found[f"{place}.conv.blur.kernel"] = KERNEL * 4
        else:
            rgb: Any = of.synthesis.rgbs[str(number)]
            place = "to_rgb1" if number == 1 else f"to_rgbs.{(number - 3) // 2}"
            found[f"{place}.conv.weight"] = rgb.weight[None]
            found[f"{place}.conv.modulation.weight"] = rgb.affine.weight
            found[f"{place}.conv.modulation.bias"] = rgb.affine.bias
            found[f"{place}.bias"] = rgb.bias[None, :, None, None]
            if number > 1:
                found[f"{place}.upsample.kernel"] = KERNEL * 4
    return {name: tensor.clone() for name, tensor in found.items()}


def save(path: Path, content: object, zipped: bool = True) -> Path:
    """A file of torch's newer or older form."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path
