"""A discriminator as data: its architecture, and tensors that must fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.stylegan2.discriminator import (
    Discriminator,
    DiscriminatorConfig,
    read_discriminator_header,
)

CHANNELS = (4, 6, 8)  # at 16, 8 and 4


def config(**changes: Any) -> DiscriminatorConfig:
    return DiscriminatorConfig(
        **{"resolution": 16, "architecture": "resnet", "channels": CHANNELS, **changes}
    )


def test_channels_belong_to_resolutions_from_the_images_down() -> None:
    assert config().resolutions() == [16, 8]
    assert [config().at(r) for r in (16, 8, 4)] == [4, 6, 8]


@pytest.mark.parametrize(
    ("architecture", "own", "count"),
    [
        ("resnet", {"b16.skip.weight": [6, 4, 1, 1], "b8.skip.weight": [8, 6, 1, 1]}, 18),
        ("skip", {"b8.fromrgb.weight": [6, 3, 1, 1], "b4.fromrgb.bias": [8]}, 20),
        ("orig", {}, 16),
    ],
)
def test_shapes_of_the_three_architectures(
    architecture: str, own: dict[str, list[int]], count: int
) -> None:
    shapes = dict(config(architecture=architecture).shapes())
    assert len(shapes) == count and shapes.items() >= own.items()
    assert shapes["b16.conv1.weight"] == [6, 4, 3, 3]
    assert shapes["b4.conv.weight"] == [8, 9, 3, 3] and shapes["b4.fc.weight"] == [8, 128]


def test_labels_are_mapped() -> None:
    made = config(label_dim=3, label_features=5, mapping_layers=2)
    shapes = dict(made.shapes())
    assert shapes["mapping.embed.weight"] == [5, 3]
    assert shapes["mapping.fc1.weight"] == [5, 5] and shapes["b4.out.weight"] == [5, 8]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 12}, "discriminator: resolution: got 12"),
        ({"resolution": 4}, "discriminator: resolution: got 4, expected an integer from 8 to 4096"),
        ({"architecture": "unet"}, "discriminator: architecture: got unet"),
        ({"channels": (4, 6)}, r"discriminator: channels: got \[4, 6\]"),
    ],
)
def test_architectures_that_are_not_possible(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(GeneratorError, match=f"^{message}$"):
        config(**changes)


def test_tensors_must_be_those_of_the_architecture() -> None:
    tensors = {name: torch.randn(shape) for name, shape in config().shapes()}
    made = Discriminator.checked(config(), tensors, "d.pkl")
    assert made.image_size == (16, 16) and made.tensors.keys() == tensors.keys()
    tensors["b4.fc.weight"] = torch.randn(8, 99)
    with pytest.raises(StoreError, match=r"d.pkl: discriminator.*b4.fc.weight is \[8, 99\]"):
        Discriminator.checked(config(), tensors, "d.pkl")


def test_a_header_comes_back_from_json() -> None:
    made = config(conv_clamp=256.0, resample_taps=(1.0, 1.0))
    header = json.loads(json.dumps(Discriminator(made, {}).header()))
    assert read_discriminator_header(header, "d") == made
    for damaged in (None, {**header, "depth": 3}, {**header, "channels": None}):
        with pytest.raises(GeneratorError, match="^d: architecture of the discriminator"):
            read_discriminator_header(damaged, "d")
