"""What each tool calls the tensors of a StyleGAN2 generator, and how it lays them out.

One row a tensor, four names: ours, NVIDIA's torch code (``training.networks``), rosinality's
stylegan2-pytorch and NVIDIA's TensorFlow code (``training.networks_stylegan2``). The networks
compute the same, but for these differences of layout:

    tensor          ours          rosinality       TensorFlow
    dense weight    [out, in]     the same         [in, out]
    style bias      about 1       the same         1 is added when it runs, so about 0
    convolution     [O, I, k, k]  [1, O, I, k, k]  [k, k, I, O], turned half if it enlarges
    constant input  [C, 4, 4]     [1, C, 4, 4]     [1, C, 4, 4]
    noise           [r, r]        [1, 1, r, r]     [1, 1, r, r]
    noise strength  []            [1]              []
    bias of RGB     [3]           [1, 3, 1, 1]     [3]

Turned half is turned by 180 degrees. NVIDIA's torch layout is ours. All this was compared with the
public code by running it.

Letters: O, I output and input channels; C channels at 4x4; k kernel size; r resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from regen.generators.stylegan2.config import StyleGAN2Config

Kind = Literal[
    "plain",
    "dense",
    "style_bias",
    "convolution",
    "enlarging_convolution",
    "constant",
    "noise",
    "noise_strength",
    "rgb_bias",
]

LATENT_AVERAGE = "latent_avg"  # rosinality keeps it beside the network's tensors, not among them


@dataclass(frozen=True)
class Row:
    """One tensor and its names.

    Attributes:
        kind: Which line of the table above it follows.
        ours: Name in the state of our `StyleGAN2`.
        nvidia: Name in NVIDIA's torch generator.
        rosinality: Name in rosinality's, None where it has no such tensor.
        tensorflow: Name in NVIDIA's TensorFlow network, components separated by "/".
    """

    kind: Kind
    ours: str
    nvidia: str
    rosinality: str | None
    tensorflow: str


def generator_rows(resolution: int, mapping_layers: int, conditional: bool) -> Iterator[Row]:
    """All tensors of a generator but its resampling filters, which `architecture` handles.

    Args:
        resolution: Of its images, in pixels, a power of two.
        mapping_layers: Fully connected layers from z to w.
        conditional: Whether it embeds class labels.
    """
    yield Row("plain", "mapping.w_mean", "mapping.w_avg", LATENT_AVERAGE, "dlatent_avg")
    if conditional:
        embed = "mapping/LabelEmbed"
        yield Row("dense", "mapping.embed.weight", "mapping.embed.weight", None, f"{embed}/weight")
        yield Row("plain", "mapping.embed.bias", "mapping.embed.bias", None, f"{embed}/bias")
    for i in range(mapping_layers):
        names = f"mapping.layers.{i}", f"mapping.fc{i}", f"style.{i + 1}", f"mapping/Dense{i}"
        yield from _dense(*names)
    constant = "synthesis/4x4/Const/const"
    yield Row("constant", "synthesis.const", "synthesis.b4.const", "input.input", constant)
    for layer in range(1, 2 * resolution.bit_length() - 4):
        yield from _convolution(layer, StyleGAN2Config.resolution_of(layer))
        if layer % 2 == 1:
            yield from _to_rgb(layer, StyleGAN2Config.resolution_of(layer))


def _dense(ours: str, nvidia: str, rosinality: str, tensorflow: str) -> Iterator[Row]:
    kinds: tuple[tuple[str, Kind], ...] = (("weight", "dense"), ("bias", "plain"))
    for part, kind in kinds:
        row = f"{ours}.{part}", f"{nvidia}.{part}", f"{rosinality}.{part}", f"{tensorflow}/{part}"
        yield Row(kind, *row)


def _style(ours: str, nvidia: str, rosinality: str, tensorflow: str) -> Iterator[Row]:
    """The layer that turns w into the scales of a convolution's input channels."""
    kinds: tuple[tuple[str, Kind], ...] = (("weight", "dense"), ("bias", "style_bias"))
    for part, kind in kinds:
        yield Row(
            kind,
            f"{ours}.affine.{part}",
            f"{nvidia}.affine.{part}",
            f"{rosinality}.conv.modulation.{part}",
            f"{tensorflow}/mod_{part}",
        )


def _convolution(layer: int, resolution: int) -> Iterator[Row]:
    enlarges = layer % 2 == 0
    ours = f"synthesis.convs.{layer}"
    nvidia = f"synthesis.b{resolution}.conv{0 if enlarges else 1}"
    rosinality = "conv1" if layer == 1 else f"convs.{layer - 2}"
    name = "Conv0_up" if enlarges else "Conv1" if layer > 1 else "Conv"
    tf = f"synthesis/{resolution}x{resolution}/{name}"
    yield from _style(ours, nvidia, rosinality, tf)
    weight = f"{ours}.weight", f"{nvidia}.weight", f"{rosinality}.conv.weight", f"{tf}/weight"
    yield Row("enlarging_convolution" if enlarges else "convolution", *weight)
    bias = f"{ours}.bias", f"{nvidia}.bias", f"{rosinality}.activate.bias", f"{tf}/bias"
    yield Row("plain", *bias)
    yield Row(
        "noise_strength",
        f"{ours}.noise_strength",
        f"{nvidia}.noise_strength",
        f"{rosinality}.noise.weight",
        f"{tf}/noise_strength",
    )
    number = layer - 1  # rosinality and TensorFlow count noises from 0
    yield Row(
        "noise",
        f"{ours}.noise_const",
        f"{nvidia}.noise_const",
        f"noises.noise_{number}",
        f"synthesis/noise{number}",
    )


def _to_rgb(layer: int, resolution: int) -> Iterator[Row]:
    """The RGB layer that follows convolution `layer`."""
    ours = f"synthesis.rgbs.{layer}"
    nvidia = f"synthesis.b{resolution}.torgb"
    rosinality = "to_rgb1" if layer == 1 else f"to_rgbs.{layer // 2 - 1}"
    tf = f"synthesis/{resolution}x{resolution}/ToRGB"
    yield from _style(ours, nvidia, rosinality, tf)
    weight = f"{ours}.weight", f"{nvidia}.weight", f"{rosinality}.conv.weight", f"{tf}/weight"
    yield Row("convolution", *weight)
    yield Row("rgb_bias", f"{ours}.bias", f"{nvidia}.bias", f"{rosinality}.bias", f"{tf}/bias")


def from_tensorflow(kind: Kind, tensor: Tensor) -> Tensor:
    """A tensor of TensorFlow's layout in ours; a view where it can be one."""
    if kind == "dense":
        return tensor.T
    if kind == "style_bias":
        return tensor + 1
    if kind == "convolution":
        return tensor.permute(3, 2, 0, 1)
    if kind == "enlarging_convolution":
        return tensor.flip([0, 1]).permute(3, 2, 0, 1)
    if kind == "constant":
        return tensor[0]
    if kind == "noise":
        return tensor[0, 0]
    return tensor


def to_rosinality(kind: Kind, tensor: Tensor) -> Tensor:
    """A tensor of ours in rosinality's layout, as a view."""
    if kind in ("convolution", "enlarging_convolution", "constant", "noise_strength"):
        return tensor[None]
    if kind == "noise":
        return tensor[None, None]
    return tensor[None, :, None, None] if kind == "rgb_bias" else tensor


def from_rosinality(kind: Kind, tensor: Tensor) -> Tensor:
    """A tensor of rosinality's layout in ours, as a view."""
    if kind in ("convolution", "enlarging_convolution", "constant", "noise_strength"):
        return tensor[0]
    if kind == "noise":
        return tensor[0, 0]
    return tensor[0, :, 0, 0] if kind == "rgb_bias" else tensor
