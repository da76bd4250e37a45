from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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


def test_seeds_are_those_of_numpy_random_state(build: Build) -> None:
    z = build().seeds_to_z([7, 0, 2**32 - 1])
    wanted = [np.random.RandomState(seed).randn(6) for seed in (7, 0, 2**32 - 1)]
    assert torch.equal(z, torch.from_numpy(np.stack(wanted)).float())
    assert build().seeds_to_z([]).shape == (0, 6)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range(build: Build, seed: int) -> None:
    with pytest.raises(GeneratorError, match=f"seed: got {seed}, expected 0 to 4294967295"):
        build().seed_latents([3, seed])


def test_truncation_goes_from_the_mean_to_the_code_for_each_seed(build: Build) -> None:
    generator = build()
    mean = generator.mapping.w_mean
    full = generator.seed_latents([1, 2, 3]).ws
    assert full.shape == (3, 6, 5)
    mixed = generator.seed_latents([1, 2, 3], [0.0, 1.0, 0.3]).ws
    assert torch.equal(mixed[0], mean.expand(6, 5))
    assert torch.equal(mixed[1], full[1])
    torch.testing.assert_close(mixed[2], mean + 0.3 * (full[2] - mean))
    torch.testing.assert_close(generator.seed_latents([3], 0.3).ws, mixed[2:])
    torch.testing.assert_close(generator.seed_latents([3], -1).ws, 2 * mean - full[2:])


def test_codes_without_truncation_are_those_of_the_mapping(build: Build) -> None:
    generator = build()
    w = generator.mapping(generator.seeds_to_z([8, 9]))
    assert torch.equal(generator.seed_latents([8, 9]).ws, w[:, None].expand(2, 6, 5))


@pytest.mark.parametrize("truncation", [[0.5, 0.7], [0.1, 0.2, 0.3, 0.4]])
def test_as_many_truncations_as_seeds(build: Build, truncation: list[float]) -> None:
    message = f"truncation: got {len(truncation)} values, expected 1 or 3"
    with pytest.raises(GeneratorError, match=message):
        build().seed_latents([1, 2, 3], truncation)


def test_noise_is_stored_drawn_from_the_seed_or_absent(build: Build) -> None:
    generator = build()
    const = generator.seed_latents([1, 2], noise="const").noise
    assert all(n is generator.conv(i + 1).noise_const for i, n in enumerate(const))
    assert generator.seed_latents([1, 2], noise="none").noise == (None,) * 5
    random = generator.seed_latents([1, 2, 1], noise="random").noise
    alone = generator.seed_latents([1], noise="random").noise
    for layer, (noise, single) in enumerate(zip(random, alone, strict=True), start=1):
        side = generator.config.resolution_of(layer)
        assert noise is not None
        assert single is not None
        assert noise.shape == (3, 1, side, side)
        assert torch.equal(noise[0], noise[2])
        assert torch.equal(noise[:1], single)
        assert not torch.equal(noise[0], noise[1])
    assert not torch.equal(random[1], random[2])


def test_noise_changes_the_image_and_leaves_the_global_generator_alone(build: Build) -> None:
    generator, state = build(), torch.get_rng_state()
    modes: list[Any] = ["const", "random", "none"]
    images = [generator(generator.seed_latents([4], noise=mode)) for mode in modes]
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert not torch.equal(images[one], images[two])
    assert torch.equal(torch.get_rng_state(), state)


def test_an_unknown_kind_of_noise(build: Build) -> None:
    mode: Any = "constant"
    with pytest.raises(
        GeneratorError, match="noise: got 'constant', expected const, random or none"
    ):
        build().seed_latents([0], noise=mode)


def test_the_digest_follows_the_weights(build: Build) -> None:
    generator = build()
    before = generator.digest()
    assert len(before) == 64
    weight = generator.conv(2).weight
    original = weight.detach().clone()
    with torch.no_grad():
        weight += 1e-3
        assert generator.digest() != before
        weight.copy_(original)
    assert generator.digest() == before
    weight.data = weight.data.contiguous()  # another memory format, the same values
    assert generator.digest() == before
    assert build(resolution=8).digest() != before
