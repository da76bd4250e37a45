from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.split import Activation, Split, concatenate, latent_of
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


@pytest.fixture
def value(build: Build) -> Activation:
    generator = build()
    activation: Activation = generator.split(4, 1).head(generator.seed_latents([1, 2, 3]))
    return activation


def test_a_stylegan2_cut_is_a_split(build: Build) -> None:
    generator = build()
    assert isinstance(generator.split(2, 1), Split)
    assert not isinstance(generator, Split)


def test_the_parameters_that_a_rewrite_may_change_are_those_of_the_memory(build: Build) -> None:
    split = build().split(4, 2)
    own, found = dict(split.memory.named_parameters()), split.memory_parameters()
    assert sorted(found) == sorted(split.memory_weights())
    assert list(found) == [name for name in own if name in found]
    for name, parameter in found.items():
        assert not parameter.requires_grad and parameter.data_ptr() == own[name].data_ptr()


def test_features_can_be_replaced_by_others_of_any_size(value: Activation) -> None:
    other = value.with_features(torch.zeros(3, 2, 5, 5))
    assert other.features.shape == (3, 2, 5, 5)
    assert other.context is value.context
    assert value.features.shape == (3, 8, 8, 8)


@pytest.mark.parametrize("index", [[2, 0], [1, 1, 1, 0], [], range(3), torch.tensor([2])])
def test_samples_are_chosen_in_order(value: Activation, index: torch.Tensor) -> None:
    chosen = value.select(index)
    assert torch.equal(chosen.features, value.features[torch.as_tensor(index).long()])
    assert chosen.features.shape[1:] == value.features.shape[1:]


def test_activations_are_joined_one_after_the_other(value: Activation) -> None:
    joined = concatenate([value.select([2]), value.select([0, 1]), value])
    assert torch.equal(joined.features, value.features[[2, 0, 1, 0, 1, 2]])
    assert torch.equal(concatenate([value]).features, value.features)


def test_detached_features_have_no_graph(value: Activation) -> None:
    grown = value.with_features(value.features.clone().requires_grad_() * 2)
    assert not grown.detach().features.requires_grad
    assert torch.equal(grown.detach().features, grown.features)


@pytest.mark.parametrize("given", [torch.zeros(1, 8), None, [1, 2]])
def test_a_network_takes_latents_of_its_family_alone(given: object) -> None:
    kind = type(given).__name__
    message = f"input of this generator: got {kind}, expected a dict; make them with `latents`"
    with pytest.raises(GeneratorError, match=message):
        latent_of(dict, given, "`latents`")
    assert latent_of(dict, {}, "`latents`") == {}


def test_an_activation_is_shown_by_its_shape() -> None:
    activation = Activation(torch.zeros(2, 3, 4, 5), None)  # type: ignore[arg-type]
    assert repr(activation) == "<Activation of features [2, 3, 4, 5]>"
