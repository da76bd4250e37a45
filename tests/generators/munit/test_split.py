"""Cuts of a translating generator."""

from __future__ import annotations

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.crops import CropSplit
from regen.generators.munit.latent import TranslateLatent
from regen.generators.munit.layers import Layer
from tests.generators.law import every_split
from tests.helpers.munit import images_and_styles, lively
from tests.tolerances import assert_near

LAYOUTS = pytest.mark.parametrize("layout", ["2018", "2021"])


def latent(seed: int = 0, size: tuple[int, int] = (32, 32)) -> TranslateLatent:
    return TranslateLatent(*images_and_styles(2, size, seed))


@LAYOUTS
@pytest.mark.parametrize(
    ("value_layer", "memory_layers", "key", "value"),
    [
        (1, 1, (16, 8, 8), (16, 8, 8)),
        (2, 2, (16, 8, 8), (16, 8, 8)),
        (3, 1, (16, 8, 8), (8, 16, 16)),
        (4, 2, (16, 8, 8), (4, 32, 32)),
        (4, 1, (8, 16, 16), (4, 32, 32)),
    ],
)
def test_sizes(layout: str, value_layer: int, memory_layers: int, key, value) -> None:
    split = lively(layout).split(value_layer, memory_layers)
    keys = split.head(latent())
    assert keys.features.shape[1:] == key
    assert split.memory(keys).features.shape[1:] == value == split.value_shape((32, 32))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (5, 1),
            "value layer: got 5, expected 1 to 4, the convolutions of the decoder of this gen",
        ),
        ((0, 1), "value layer: got 0, expected 1 to 4"),
        ((1, 2), "memory layers: got 2, expected 1 to 1"),
        ((2, 0), "memory layers: got 0, expected 1 to 2"),
    ],
)
def test_layers_that_do_not_exist(layers: tuple[int, int], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        lively().split(*layers)


@LAYOUTS
def test_inside_of_a_block_its_input_travels_along(layout: str) -> None:
    generator = lively(layout, blocks=2)
    held = [split.head(latent()).context.held for split in map(generator.split, (2, 3), (1, 1))]
    assert held[0] is not None and held[1] is None
    value = generator.split(1, 1).value_of(latent())
    assert torch.equal(value.context.held, generator.split(1, 1).head(latent()).features)


@LAYOUTS
def test_after_the_last_norm_nothing_changes_elsewhere(layout: str) -> None:
    """What is pasted reaches as far as the last convolution, and no further."""
    generator = lively(layout)
    split = generator.split(4, 2)
    value = split.value_of(latent())
    pasted = value.features.clone()
    pasted[..., 10:14, 10:14] += 5
    before, after = split.tail(value), split.tail(value.with_features(pasted))
    near = torch.zeros(32, 32, dtype=torch.bool)
    near[7:17, 7:17] = True
    assert_near(before[..., ~near], after[..., ~near])
    assert (before - after)[..., near].abs().mean() > 0.01
    earlier = generator.split(2, 1)
    value = earlier.value_of(latent())
    pasted = value.features.clone()
    pasted[..., 2:4, 2:4] += 5
    far = (earlier.tail(value) - earlier.tail(value.with_features(pasted)))[..., 24:, 24:]
    assert far.abs().mean() > 1e-3  # a norm over the whole image carries it there


@LAYOUTS
def test_keys_times_weights_are_what_the_layer_convolves(layout: str) -> None:
    given = latent(size=(32, 48))
    for split in every_split(lively(layout)):
        assert isinstance(split, KeyedSplit)
        key = split.head(given)
        memory = dict(split.memory.named_parameters())
        found = list(split.convolution_keys(key, {}))
        assert len(found) == split.memory_layers
        x, held, code = key.features, key.context.held, key.context.code
        for keys, layer in zip(found, split.memory.decoder.values(), strict=True):
            assert isinstance(layer, Layer)
            wanted = layer.convolution(layer.convolved(x, code))
            wanted = wanted - layer.convolution.bias[:, None, None]
            rows = keys.rows(torch.arange(keys.size[0] * keys.size[1]))
            product = (rows @ memory[keys.name].flatten(1).T).transpose(1, 2)
            assert_near(product.unflatten(2, keys.size), wanted, size=20)
            x, held = layer(x, held, code)


def test_given_weights_replace_those_of_the_memory() -> None:
    split = lively().split(4, 2)
    key, names = split.head(latent()), split.memory_weights()
    own = dict(split.memory.named_parameters())
    other = {name: torch.randn_like(own[name]) for name in names[:2]}
    plain, changed = (list(split.convolution_keys(key, w))[1].field for w in ({}, other))
    assert (plain - changed).abs().max() > 0.1
    value = split.recall(key, other).features
    assert (value - split.memory(key).features).abs().max() > 0.1


def test_biases_change_only_where_no_norm_takes_them_away() -> None:
    first, improved = lively("2018"), lively("2021")
    assert first.split(4, 3).memory_weights() == [
        "decoder.1.convolution.weight",
        "decoder.2.convolution.weight",
        "decoder.2.convolution.bias",
        "decoder.3.convolution.weight",
        "decoder.3.convolution.bias",
    ]
    assert not any(name.endswith("bias") for name in improved.split(4, 4).memory_weights())
    given = latent()
    for generator in (first, improved):
        split = generator.split(4, 4)
        key, before = split.head(given), generator(given)
        for name, parameter in split.memory.named_parameters():
            if name.endswith("convolution.bias"):
                shifted = parameter + torch.arange(len(parameter))  # all alike, any norm would take
                after = split.tail(split.recall(key, {name: shifted}))
                alike = torch.allclose(before, after, atol=1e-4)
                assert alike is (name not in split.memory_weights()), name
    assert first.split(4, 1).full_name("a.b") == "network.a.b"


def test_it_offers_no_crops() -> None:
    assert not isinstance(lively().split(4, 2), CropSplit)
