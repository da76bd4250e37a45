"""Cuts of an inpainting generator."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from regen.errors import GeneratorError
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.rfr.latent import FillLatent
from tests.helpers.rfr import holed, lively
from tests.tolerances import assert_near


def latent(seed: int = 0, size: tuple[int, int] = (32, 32)) -> FillLatent:
    image, known = holed(2, size, seed)
    return FillLatent(image * 2 - 1, known)


@pytest.mark.parametrize(
    ("value_layer", "memory_layers", "key", "value"),
    [(1, 1, (8, 16, 16), (8, 32, 32)), (2, 1, (8, 32, 32), (4, 32, 32))]
    + [(2, 2, (8, 16, 16), (4, 32, 32))],
)
def test_sizes(value_layer, memory_layers, key, value) -> None:
    generator = lively()
    split = generator.split(value_layer, memory_layers)
    keys = split.head(latent())
    assert keys.features.shape[1:] == key
    assert split.memory(keys).features.shape[1:] == value == split.value_shape((32, 32))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (3, 1),
            "value layer: got 3, expected 1 to 2, the convolutions after the rounds of this gen",
        ),
        ((0, 1), "value layer: got 0, expected 1 to 2"),
        ((1, 2), "memory layers: got 2, expected 1 to 1"),
        ((2, 0), "memory layers: got 0, expected 1 to 2"),
    ],
)
def test_layers_that_do_not_exist(layers: tuple[int, int], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        lively().split(*layers)


def test_known_pixels_stay_bit_for_bit_whatever_the_memory_is() -> None:
    split, given = lively().split(2, 2), latent()
    key = split.head(given)
    names = split.memory_weights()
    other = {name: torch.randn_like(dict(split.memory.named_parameters())[name]) for name in names}
    before, after = split.tail(split.recall(key)), split.tail(split.recall(key, other))
    known = given.known.expand(-1, 3, -1, -1) > 0
    assert torch.equal(before[known], given.images[known])
    assert torch.equal(after[known], given.images[known])
    assert (before[~known] - after[~known]).abs().mean() > 0.1


@pytest.mark.parametrize("size", [(32, 32), (40, 24)])
def test_keys_times_weights_are_what_the_layer_convolves(size: tuple[int, int]) -> None:
    split, given = lively().split(2, 2), latent(size=size)
    assert isinstance(split, KeyedSplit)
    key = split.head(given)
    memory, network = dict(split.memory.named_parameters()), split.network
    enlarging, combining = split.convolution_keys(key, {})
    positions = torch.arange(size[0] * size[1])

    def convolved(keys) -> torch.Tensor:
        assert keys.size == size
        product = keys.rows(positions) @ memory[keys.name].flatten(1).T
        return product.transpose(1, 2).unflatten(2, size)

    x = network.enlargement.convolution(key.features)[:, :, : size[0], : size[1]]
    assert_near(convolved(enlarging), x, size=5)
    x = F.leaky_relu(network.enlargement.norm(x), 0.01)
    known = F.interpolate(key.context.found, scale_factor=2.0)[:, :, : size[0], : size[1]]
    seen = torch.cat([given.seen, x * known], dim=1)
    assert_near(convolved(combining), network.combination(seen), size=5)


def test_given_weights_replace_those_of_the_memory() -> None:
    split = lively().split(2, 2)
    key = split.head(latent())
    name = split.memory_weights()[0]
    other = {name: torch.zeros_like(dict(split.memory.named_parameters())[name])}
    plain, changed = (list(split.convolution_keys(key, w))[1].field for w in ({}, other))
    assert (plain[:, 3:] - changed[:, 3:]).abs().max() > 0.1
    assert split.full_name(name) == f"network.{name}"
