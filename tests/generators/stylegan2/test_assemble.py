"""A generator around tensors that are there already."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from regen.errors import StoreError
from regen.generators.stylegan2.assemble import assemble
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


@pytest.mark.parametrize("copy", [False, True])
def test_tensors_are_used_as_they_are_or_copied(build: Build, copy: bool) -> None:
    ours = build()
    random = torch.get_rng_state()
    tensors = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    made = assemble(ours.config, tensors, "file", copy=copy)
    assert torch.equal(torch.get_rng_state(), random)
    assert made.digest() == ours.digest() and not made.training
    assert not any(parameter.requires_grad for parameter in made.parameters())
    for name, tensor in made.state_dict().items():
        assert (tensor.data_ptr() == tensors[name].data_ptr()) is not copy, name


def test_weights_get_the_layout_that_convolutions_want(build: Build) -> None:
    ours = build()
    tensors = {name: t.contiguous().clone() for name, t in ours.state_dict().items()}
    made = assemble(ours.config, tensors, "file")
    for layer in range(1, ours.convolutions + 1):
        assert made.conv(layer).weight.stride() == ours.conv(layer).weight.stride()
    assert made.digest() == ours.digest()


def test_tensors_of_another_architecture_are_refused(build: Build) -> None:
    ours = build()
    tensors = dict(ours.state_dict())
    del tensors["synthesis.const"]
    tensors["synthesis.convs.1.bias"] = torch.zeros(3)
    with pytest.raises(StoreError, match="^cats.pkl.*synthesis.const.*convs.1.bias"):
        assemble(ours.config, tensors, "cats.pkl")
