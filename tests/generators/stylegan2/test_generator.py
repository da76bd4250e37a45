"""Seeds, truncation and noise of a StyleGAN2, and its digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


def test_seeds_are_those_of_numpy_random_state(build: Build) -> None:
    z = build().seeds_to_z([7, 0, 2**32 - 1])
    wanted = [np.random.RandomState(seed).randn(6) for seed in (7, 0, 2**32 - 1)]
    assert torch.equal(z, torch.from_numpy(np.stack(wanted)).float())
    assert build().seeds_to_z([]).shape == (0, 6)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_out_of_range(build: Build, seed: int) -> None:
    with pytest.raises(
        GeneratorError, match=f"seed: got {seed}, expected an integer from 0 to 4294967295"
    ):
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


def test_style_codes_of_ones_own_are_latents(build: Build) -> None:
    generator = build()
    latent = generator.seed_latents([1, 2], 0.7)
    same = generator.style_latents(latent.ws)
    assert torch.equal(generator(same), generator(latent))
    plain = generator.style_latents(generator.mapping(generator.seeds_to_z([1, 2]), None))
    assert torch.equal(generator(plain), generator(generator.seed_latents([1, 2])))


@pytest.mark.parametrize("shape", [(5,), (2, 4), (2, 5, 5), (2, 6, 4)])
def test_style_codes_of_another_generator(build: Build, shape: tuple[int, ...]) -> None:
    with pytest.raises(
        GeneratorError, match=r"style codes: got \[.*\], expected \[N, 5\] or \[N, 6, 5"
    ):
        build().style_latents(torch.zeros(shape))
    with pytest.raises(GeneratorError, match="style codes: got list, expected a tensor"):
        build().style_latents([shape])  # type: ignore[arg-type]


def test_what_is_no_latent_is_told(build: Build) -> None:
    with pytest.raises(
        GeneratorError, match="input of this generator: got Tensor, expected a StyleLatent; m"
    ):
        build()(torch.zeros(1, 6))  # type: ignore[arg-type]
