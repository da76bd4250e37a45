"""Checkpoints of rosinality's stylegan2-pytorch and of the tools that use its names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.registry import read_checkpoint
from regen.generators.stylegan2.foreign.rosinality import write_rosinality
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    image,
    rosinality_tensors,
    save,
)

MEAN = "the file has no mean of w: computed from 10,000 samples"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_a_converted_checkpoint_comes_back(tmp_path: Path, zipped: bool) -> None:
    ours = generator()
    content = {"g_ema": rosinality_tensors(ours), "latent_avg": ours.mapping.w_mean}
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
        "g": rosinality_tensors(trained),
        "g_ema": rosinality_tensors(average),
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
    tensors: dict[str, Any] = {f"{prefix}{name}": t for name, t in rosinality_tensors(ours).items()}
    tensors["encoder.body.weight"] = torch.zeros(3)
    content = tensors if place is None else {place: tensors}
    content["latent_avg"] = ours.mapping.w_mean.repeat(8, 1)  # as pSp and e4e keep it
    found = read_checkpoint(save(tmp_path / "g.pt", content))
    assert found.generator.digest() == ours.digest() and found.notes == ()


def test_half_precision_is_read_as_single(tmp_path: Path) -> None:
    ours = generator()
    tensors = {name: tensor.half() for name, tensor in rosinality_tensors(ours).items()}
    found = read_checkpoint(save(tmp_path / "g.pt", {"g_ema": tensors}))
    weight = found.generator.conv(2).weight
    assert weight.dtype == torch.float32 and torch.equal(weight, ours.conv(2).weight.half().float())


def test_a_network_that_is_not_there(tmp_path: Path) -> None:
    path = save(tmp_path / "g.pt", {"g_ema": rosinality_tensors(generator())})
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
    tensors = rosinality_tensors(generator())
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
    wanted = rosinality_tensors(ours)
    assert content["g_ema"].keys() == wanted.keys()
    assert all(torch.equal(content["g_ema"][name], wanted[name]) for name in wanted)
    assert torch.equal(content["latent_avg"], ours.mapping.w_mean)
    again = read_checkpoint(tmp_path / "g.pt").generator
    assert (again.config, again.digest()) == (ours.config, ours.digest())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_dim": 2}, "a generator with classes, expected one without; write .safetensors or"),
        ({"z_dim": 6}, "with z of 6 and w of 8, expected z and w of equal size; write .saf"),
    ],
)
def test_what_the_format_has_no_room_for(
    tmp_path: Path, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        write_rosinality(tmp_path / "g.pt", generator(**changes))
    assert list(tmp_path.iterdir()) == []
