"""The architecture that the tensors of a file show, and those that cannot be rebuilt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    KERNEL,
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    write,
)


@pytest.mark.parametrize("taps", [(1.0, 2.0, 1.0), (1.0, 1.0)])
def test_another_filter(tmp_path: Path, taps: tuple[float, ...]) -> None:
    ours = generator(resample_taps=taps)
    tensors = nvidia_tensors(ours)
    for name in tensors:
        if name.endswith("resample_filter") and ".conv1." not in name:
            tensors[name] = ours.synthesis.resample_filter.clone()
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    assert torch.equal(image(found.generator), image(ours))


def test_another_filter_for_the_image(tmp_path: Path) -> None:
    ours = generator(resample_taps=(1.0, 2.0, 1.0), rgb_resample_taps=(1.0, 3.0, 3.0, 1.0))
    tensors = nvidia_tensors(ours)
    for name in tensors:
        if name.endswith("conv0.resample_filter"):
            tensors[name] = ours.conv(2).resample_filter.clone()
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    assert torch.equal(image(found.generator), image(ours))
    assert not torch.equal(image(generator()), image(ours))


def lopsided(tensors: dict[str, Any]) -> None:
    for name in tensors:
        if name.endswith("resample_filter"):
            tensors[name] = KERNEL * torch.tensor([1.0, 1.0, 1.0, 0.5])


def two_filters(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b16.conv0.resample_filter"] = KERNEL.roll(1, 0)


def grey(tensors: dict[str, Any]) -> None:
    for name, tensor in tensors.items():
        if name.endswith(("torgb.weight", "torgb.bias")):
            tensors[name] = tensor[:1]


def wide(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b4.const"] = torch.randn(8, 8, 4)


def narrow_mapping(tensors: dict[str, Any]) -> None:
    tensors["mapping.fc0.weight"] = tensors["mapping.fc0.weight"][:4]
    tensors["mapping.fc0.bias"] = tensors["mapping.fc0.bias"][:4]
    tensors["mapping.fc1.weight"] = tensors["mapping.fc1.weight"][:, :4]


def hourglass(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b8.conv1.bias"] = torch.randn(4)


def holes(tensors: dict[str, Any]) -> None:
    del tensors["synthesis.b16.conv0.weight"], tensors["synthesis.b32.torgb.bias"]


def flat_weight(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b8.conv0.weight"] = tensors["synthesis.b8.conv0.weight"].flatten()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lopsided, r"resampling filter: got one of \[4, 4\] that is not a product"),
        (
            two_filters,
            "got two that differ, synthesis.b8.conv0.* and synthesis.b16.conv0.res",
        ),
        (grey, "colour channels: got 1, expected 3; regen has"),
        (wide, "constant input: got 8 x 4, expected 4 x 4; regen has"),
        (narrow_mapping, r"mapping network: got layers of \[4, 8\], expected all of 8"),
        (hourglass, r"channels by resolution: got 8 at 4, 4 at 8, 8 at 16, 4 at 32, expected min"),
        (holes, r"lacks synthesis.convs.4.weight, synthesis.rgbs.7.bias \(by regen's names\)"),
        (flat_weight, r"synthesis.b8.conv0.weight: got \[576\], expected floats of 4 dim"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused_with_the_reason(
    tmp_path: Path, damage: Any, message: str
) -> None:
    ours = generator()
    tensors = nvidia_tensors(ours)
    damage(tensors)
    path = write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors))
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)
