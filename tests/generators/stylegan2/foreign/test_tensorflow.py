"""Pickles of NVIDIA's TensorFlow code, against that code's formulas written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    KERNEL,
    generator,
    image,
    tensorflow_network,
    tensorflow_variables,
    write,
)
from tests.tolerances import assert_near
from tests.unpickling import writer

Variables = dict[str, Tensor]


def drawn_by_formula(variables: dict[str, dict[str, np.ndarray]], z: Tensor, psi: float) -> Tensor:
    """Images of an unconditional 32x32 network, as Karras et al. 2020 define them."""
    groups = {
        name: {k: torch.as_tensor(np.array(v)) for k, v in group.items()}
        for name, group in variables.items()
    }
    mapping, layers = groups["mapping"], groups["synthesis"]
    w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
    for i in range(len(mapping) // 2):
        weight = mapping[f"Dense{i}/weight"]
        w = w @ weight * (0.01 / len(weight) ** 0.5) + 0.01 * mapping[f"Dense{i}/bias"]
        w = F.leaky_relu(w, 0.2) * 2**0.5
    w = groups["own"]["dlatent_avg"].lerp(w, psi)
    x = layers["4x4/Const/const"].repeat(len(z), 1, 1, 1)
    x = layer(layers, "4x4/Conv", 0, x, w)
    rgb = modulated(layers, "4x4/ToRGB", x, w, demodulate=False)
    for i, side in enumerate((8, 16, 32)):
        x = layer(layers, f"{side}x{side}/Conv0_up", 2 * i + 1, x, w)
        x = layer(layers, f"{side}x{side}/Conv1", 2 * i + 2, x, w)
        colour = modulated(layers, f"{side}x{side}/ToRGB", x, w, demodulate=False)
        spread = torch.zeros(*rgb.shape[:2], side, side)
        spread[:, :, ::2, ::2] = rgb
        rgb = blurred(F.pad(spread, [2, 1, 2, 1])) + colour
    return rgb


def layer(layers: Variables, name: str, number: int, x: Tensor, w: Tensor) -> Tensor:
    x = modulated(layers, name, x, w, noise=layers[f"noise{number}"])
    return F.leaky_relu(x, 0.2) * 2**0.5


def modulated(
    layers: Variables,
    name: str,
    x: Tensor,
    w: Tensor,
    demodulate: bool = True,
    noise: Tensor | None = None,
) -> Tensor:
    weight, style = layers[f"{name}/weight"], layers[f"{name}/mod_weight"]
    weight = weight / weight[..., 0].numel() ** 0.5
    scales = w @ style / len(style) ** 0.5 + layers[f"{name}/mod_bias"] + 1
    images = []
    for sample, scale in zip(x, scales, strict=True):
        own = weight * scale[:, None]
        if demodulate:
            own = own * (own.square().sum([0, 1, 2]) + 1e-8).rsqrt()
        if name.endswith("_up"):
            kernel = own.flip([0, 1]).permute(2, 3, 0, 1)
            wide = F.conv_transpose2d(sample[None], kernel, stride=2)
            images.append(blurred(F.pad(wide, [1, 1, 1, 1])))
        else:
            kernel = own.permute(3, 2, 0, 1)
            images.append(F.conv2d(sample[None], kernel, padding=len(own) // 2))
    out = torch.cat(images)
    if noise is not None:
        out = out + noise * layers[f"{name}/noise_strength"]
    return out + layers[f"{name}/bias"][:, None, None]


def blurred(x: Tensor) -> Tensor:
    kernel = (4 * KERNEL).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, groups=x.shape[1])


@pytest.mark.parametrize("changes", [{}, {"channel_base": 64, "mapping_layers": 3}])
def test_images_are_those_of_the_formulas(tmp_path: Path, changes: dict[str, int]) -> None:
    ours = generator(**changes)
    path = write(tmp_path / "g.pkl", (None_, None_, tensorflow_network(ours)))
    found = read_checkpoint(path).generator
    wanted = drawn_by_formula(tensorflow_variables(ours), found.seeds_to_z([0, 1]), 0.7)
    assert (image(found) - wanted).abs().max() < 1e-5 * (wanted.max() - wanted.min())


None_: Any = writer.tensorflow_network("empty", {}, {})


def test_gs_by_default_and_g_if_asked(tmp_path: Path) -> None:
    trained, average = generator(), generator()
    networks = (tensorflow_network(trained), None_, tensorflow_network(average))
    path = write(tmp_path / "g.pkl", networks)
    found = read_checkpoint(path)
    assert found.origin == "TensorFlow pickle of NVIDIA's, Gs"
    for mine, read in ((average, found), (trained, read_checkpoint(path, "G"))):
        state = read.generator.state_dict()
        for name, tensor in mine.state_dict().items():
            # nothing is computed but 1 + (x - 1)
            torch.testing.assert_close(state[name], tensor, atol=1e-6, rtol=1e-6)
    alone = write(tmp_path / "alone.pkl", tensorflow_network(average))
    assert read_checkpoint(alone).generator.digest() == found.generator.digest()


def test_classes_as_ada_embeds_them(tmp_path: Path) -> None:
    ours = generator(label_dim=3)
    path = write(tmp_path / "g.pkl", tensorflow_network(ours, label_size=3))
    found = read_checkpoint(path).generator
    assert found.config == ours.config
    assert_near(image(found), image(ours))


def test_arguments(tmp_path: Path) -> None:
    ours = generator(resample_taps=(1.0, 1.0))
    arguments = {"resample_kernel": None, "mapping_lrmul": 0.02, "conv_clamp": 256}
    path = write(tmp_path / "g.pkl", tensorflow_network(ours, **arguments))
    config = read_checkpoint(path).generator.config
    assert (config.mapping_lr_multiplier, config.conv_clamp) == (0.02, 256)
    assert config.resample_taps == (0.5, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"architecture": "resnet"}, "architecture of the generator: got resnet, expected skip"),
        ({"architecture": "orig"}, "got orig, expected skip; configurations a to d have no skip"),
        ({"nonlinearity": "relu"}, "nonlinearity: got relu, expected lrelu"),
        ({"normalize_latents": False}, "normalize_latents: got not True, expected True"),
        ({"resample_kernel": ["x"]}, r"resample_kernel: got \['x'\]"),
        ({"resample_kernel": [1e300]}, "resampling filter: got one of"),
    ],
)
def test_other_forms_are_refused_with_the_reason(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "g.pkl", tensorflow_network(generator(), **arguments))
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("part", "name", "message"),
    [
        ("synthesis", "ToRGB_lod0/weight", "got orig, expected skip; configurations a to d"),
        ("mapping", "LabelConcat/weight", "which normalises z and label together, expected ADA's"),
    ],
)
def test_older_networks_are_told_by_their_variables(
    tmp_path: Path, part: str, name: str, message: str
) -> None:
    network = tensorflow_network(generator())
    variables = network.state["components"][part].state["variables"]
    variables.append((name, np.zeros((2, 2), np.float32)))
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(write(tmp_path / "g.pkl", network))


def test_stylegan1_is_not_stylegan2(tmp_path: Path) -> None:
    network = writer.tensorflow_network("G_style", {}, {"lod": np.float32(0)})
    with pytest.raises(
        GeneratorError, match="not a StyleGAN2 generator; StyleGAN1 and configuration a"
    ):
        read_checkpoint(write(tmp_path / "g.pkl", network))


def test_numbers_that_float32_cannot_hold_are_not_finite(tmp_path: Path) -> None:
    ours = generator()
    network = tensorflow_network(ours)
    mapping = network.state["components"]["mapping"].state["variables"]
    mapping[0] = (mapping[0][0], np.full((8, 8), 1e300))
    with pytest.raises(GeneratorError, match="weights: got NaN or infinity in mapping.layers.0.we"):
        read_checkpoint(write(tmp_path / "g.pkl", network))
