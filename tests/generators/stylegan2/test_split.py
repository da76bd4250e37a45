from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


def test_sizes_and_numbers_of_a_cut(build: Build) -> None:
    generator = build(resolution=32, channel_base=64, channel_max=8)
    split = generator.split(6, 2)
    assert (generator.resolution, generator.convolutions, generator.family) == (32, 7, "stylegan2")
    assert (split.value_layer, split.memory_layers) == (6, 2)
    assert split.value_shape(generator.image_size) == (2, 32, 32)
    key = split.head(generator.seed_latents([0]))
    value = split.value_of(generator.seed_latents([0]))
    assert key.features.shape == (1, 4, 16, 16)
    assert value.features.shape == (1, 2, 32, 32)
    assert torch.equal(value.features, split.memory(key).features)


def test_the_memory_shares_its_parameters_and_names_the_weights_to_rewrite(build: Build) -> None:
    generator = build()
    split = generator.split(5, 2)
    inside, whole = dict(split.memory.named_parameters()), dict(generator.named_parameters())
    names = split.memory_weights()
    assert names == ["convs.4.weight", "convs.4.bias", "convs.5.weight", "convs.5.bias"]
    for name in names:
        assert inside[name] is whole[split.full_name(name)]
    assert not split.memory.training
    assert set(generator.state_dict()) == set(build().state_dict())


def test_changing_the_memory_changes_the_image_and_nothing_stays_behind(build: Build) -> None:
    generator = build()
    split, latent = generator.split(3, 1), generator.seed_latents([5])
    before = generator(latent)
    with torch.no_grad():
        generator.conv(3).bias += 1
    changed = split.tail(split.value_of(latent))
    assert torch.equal(changed, generator(latent))
    assert not torch.equal(changed, before)


@pytest.mark.parametrize(
    ("value_layer", "memory_layers", "message"),
    [
        (0, 1, "value layer: got 0, expected 1 to 5, the convolutions of this generator"),
        (6, 1, "value layer: got 6, expected 1 to 5"),
        (3, 0, "memory layers: got 0, expected 1 to 3"),
        (3, 4, "memory layers: got 4, expected 1 to 3, since the memory ends at convolution 3"),
    ],
)
def test_layers_that_do_not_exist(
    build: Build, value_layer: int, memory_layers: int, message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        build().split(value_layer, memory_layers)
