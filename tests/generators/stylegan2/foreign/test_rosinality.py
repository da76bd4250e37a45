"""Checkpoints of rosinality's stylegan2-pytorch and of the tools that use its names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.files import read_checkpoint
from regen.generators.stylegan2.foreign.rosinality import write_rosinality
from regen.generators.stylegan2.generator import StyleGAN2
from tests.generators.stylegan2.foreign.checkpoints import KERNEL, generator, image

MEAN = "the file has no mean of w: computed from 10,000 samples"


def tensors_of(of: StyleGAN2) -> dict[str, Tensor]:
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
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_a_converted_checkpoint_comes_back(tmp_path: Path, zipped: bool) -> None:
    ours = generator()
    content = {"g_ema": tensors_of(ours), "latent_avg": ours.mapping.w_mean}
    found = read_checkpoint(save(tmp_path / "g.pt", content, zipped))
    assert found.generator.digest() == ours.digest()
    assert found.generator.config == ours.config
    assert torch.equal(image(found.generator), image(ours))
    assert (found.notes, found.origin) == ((), "checkpoint of rosinality's, g_ema")


def test_a_training_checkpoint(tmp_path: Path) -> None:
    trained, average = generator(), generator()
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.Adam([weight])
    weight.sum().backward()
    optimiser.step()
    content = {
        "g": tensors_of(trained),
        "g_ema": tensors_of(average),
        "d_optim": optimiser.state_dict(),
        "args": argparse.Namespace(lr=0.002, path="data", mixing=None),
        "ada_aug_p": 0.0,
    }
    path = save(tmp_path / "g.pt", content)
    found = read_checkpoint(path)
    assert found.notes == (MEAN,)
    for mine, read in ((average, found), (trained, read_checkpoint(path, "G"))):
        read.generator.mapping.w_mean.copy_(mine.mapping.w_mean)
        assert read.generator.digest() == mine.digest()


@pytest.mark.parametrize(
    ("place", "prefix"),
    [(None, ""), ("g", ""), ("state_dict", "decoder."), ("g_ema", "module."), ("params_ema", "")],
)
def test_wherever_the_tensors_are(tmp_path: Path, place: str | None, prefix: str) -> None:
    ours = generator()
    tensors: dict[str, Any] = {f"{prefix}{name}": t for name, t in tensors_of(ours).items()}
    tensors["encoder.body.weight"] = torch.zeros(3)
    content = tensors if place is None else {place: tensors}
    content["latent_avg"] = ours.mapping.w_mean.repeat(8, 1)  # as pSp and e4e keep it
    found = read_checkpoint(save(tmp_path / "g.pt", content))
    assert found.generator.digest() == ours.digest() and found.notes == ()


def test_missing_noise_is_drawn_and_said(tmp_path: Path) -> None:
    ours = generator()
    tensors = {k: t for k, t in tensors_of(ours).items() if not k.startswith("noises.")}
    path = save(tmp_path / "g.pt", {"g_ema": tensors, "latent_avg": ours.mapping.w_mean})
    found = read_checkpoint(path)
    assert found.notes == ("the file has no noise maps: drawn from a fixed seed",)
    maps = [found.generator.conv(i).noise_const for i in (6, 7)]
    assert all(0.9 < noise.std() < 1.1 for noise in maps) and not torch.equal(*maps)
    assert read_checkpoint(path).generator.digest() == found.generator.digest()


def test_half_precision_is_read_as_single(tmp_path: Path) -> None:
    ours = generator()
    tensors = {name: tensor.half() for name, tensor in tensors_of(ours).items()}
    found = read_checkpoint(save(tmp_path / "g.pt", {"g_ema": tensors}))
    weight = found.generator.conv(2).weight
    assert weight.dtype == torch.float32 and torch.equal(weight, ours.conv(2).weight.half().float())


def test_a_network_that_is_not_there(tmp_path: Path) -> None:
    path = save(tmp_path / "g.pt", {"g_ema": tensors_of(generator())})
    with pytest.raises(GeneratorError, match="got G, expected G_ema; regen convert --which G_ema"):
        read_checkpoint(path, "G")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.pop("convs.1.conv.weight"), "convolutions: got 6, expected 3, 5, 7"),
        (lambda t: t.pop("style.1.bias"), "lacks mapping.layers.0.bias"),
        (lambda t: [t.pop(f"style.{i}.weight") for i in (1, 2)], "mapping network: got no layers"),
        (
            lambda t: t.update({"convs.0.conv.weight": 3}),
            "convs.0.conv.weight: got int, expected floats of 5",
        ),
        (
            lambda t: t.update({"conv1.noise.weight": torch.zeros(2)}),
            r"conv1.noise.weight: got \[2\]",
        ),
    ],
)
def test_damaged_checkpoints(tmp_path: Path, damage: Any, message: str) -> None:
    tensors = tensors_of(generator())
    damage(tensors)
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(save(tmp_path / "g.pt", {"g_ema": tensors}))


def test_what_is_written_has_rosinality_s_names_and_shapes(tmp_path: Path) -> None:
    ours = generator(conv_clamp=256.0, num_fp16_res=2)
    notes = write_rosinality(tmp_path / "g.pt", ours)
    assert notes == [
        "other tools will not clamp activations at 256",
        "rosinality's own class has 512 channels up to 32x32; this one has fewer",
    ]
    content = torch.load(tmp_path / "g.pt", weights_only=True)
    wanted = tensors_of(ours)
    assert content["g_ema"].keys() == wanted.keys()
    assert all(torch.equal(content["g_ema"][name], wanted[name]) for name in wanted)
    assert torch.equal(content["latent_avg"], ours.mapping.w_mean)
    again = read_checkpoint(tmp_path / "g.pt").generator
    assert (again.config, again.digest()) == (ours.config, ours.digest())


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"label_dim": 2}, "a generator with classes"), ({"z_dim": 6}, "with z of 6 and w of 8")],
)
def test_what_the_format_has_no_room_for(
    tmp_path: Path, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        write_rosinality(tmp_path / "g.pt", generator(**changes))
    assert list(tmp_path.iterdir()) == []
