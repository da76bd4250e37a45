"""Rosinality's names for a discriminator, there and back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.stylegan2.discriminator import Discriminator, DiscriminatorConfig
from regen.generators.stylegan2.foreign.rosinality_discriminator import (
    discriminator_extra,
    read_discriminator,
    write_discriminator,
)


def discriminator(**changes: Any) -> Discriminator:
    given = {"resolution": 16, "architecture": "resnet", "channels": (4, 6, 8), **changes}
    config = DiscriminatorConfig(**given)
    return Discriminator(config, {name: torch.randn(shape) for name, shape in config.shapes()})


def test_it_comes_back_with_what_the_format_cannot_say() -> None:
    made = discriminator(conv_clamp=256.0, num_fp16_res=2)
    state = write_discriminator(made)
    found = read_discriminator(state, discriminator_extra(made), "d")
    assert found.config == made.config
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in made.tensors.items())
    plain = read_discriminator(state, {}, "d").config
    assert (plain.conv_clamp, plain.num_fp16_res) == (None, 0)


def test_blurred_layers_are_one_entry_further() -> None:
    made = discriminator()
    state, ours = write_discriminator(made), made.tensors
    assert torch.equal(state["convs.0.0.weight"], ours["b16.fromrgb.weight"])
    assert torch.equal(state["convs.1.conv1.0.weight"], ours["b16.conv0.weight"])
    assert torch.equal(state["convs.1.conv2.1.weight"], ours["b16.conv1.weight"])
    assert torch.equal(state["convs.1.conv2.2.bias"], ours["b16.conv1.bias"])
    assert torch.equal(state["final_linear.1.weight"], ours["b4.out.weight"])
    assert state["convs.2.skip.0.kernel"].shape == (4, 4)


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"architecture": "skip"}, "got skip, 0 classes, 1 deviation channels of 4"),
        ({"stddev_group": 8}, "got resnet, 0 classes, 1 deviation channels of 8"),
    ],
)
def test_what_rosinality_s_cannot_be(changes: dict[str, Any], got: str) -> None:
    with pytest.raises(GeneratorError, match=got):
        write_discriminator(discriminator(**changes))


def test_states_that_are_not_a_discriminator() -> None:
    with pytest.raises(GeneratorError, match="^d: discriminator: got no residual blocks"):
        read_discriminator({}, {}, "d")
    state = write_discriminator(discriminator())
    state["final_linear.0.weight"] = torch.randn(8, 99)
    with pytest.raises(StoreError, match=r"b4.fc.weight is \[8, 99\]"):
        read_discriminator(state, {}, "d")
