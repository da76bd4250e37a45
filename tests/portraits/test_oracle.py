"""The exact answer for a seed: NVIDIA's latents, and both images of one person."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from regen.errors import RegenError
from regen.portraits import Oracle, attributes, render, seed_to_z


def test_a_seed_is_the_latent_that_nvidias_tools_draw() -> None:
    z = seed_to_z([7, 0, 7])
    assert z.shape == (3, 32)
    assert z.dtype == torch.float32
    assert torch.equal(z[0], z[2])
    expected = np.random.RandomState(0).randn(1, 32).astype(np.float32)
    assert np.array_equal(z[1:2].numpy(), expected)


def test_latents_of_another_width_and_of_no_seed() -> None:
    assert seed_to_z([1], 512).shape == (1, 512)
    assert seed_to_z([]).shape == (0, 32)
    assert torch.equal(seed_to_z([np.int64(3)]), seed_to_z([3]))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "3", True, None])
def test_what_is_no_seed_is_refused(seed: int) -> None:
    with pytest.raises(RegenError, match=r"seed: got .*, expected an integer from 0 to 4294967295"):
        seed_to_z([seed])


def test_the_oracle_draws_people_with_and_without_its_pattern() -> None:
    oracle, seeds = Oracle("red_nose", 64), [3, 9]
    people = attributes(seed_to_z(seeds))
    assert torch.equal(oracle.plain(seeds), render(people, 64))
    assert torch.equal(oracle.rewritten(seeds), render(people, 64, "red_nose"))


@pytest.mark.parametrize("pattern", ["cat_eyes", "medical_mask"])
def test_both_images_agree_outside_the_region_and_only_there(pattern: str) -> None:
    oracle, seeds = Oracle(pattern), range(4)
    mask = oracle.region(seeds)
    difference = (oracle.plain(seeds) - oracle.rewritten(seeds)).abs().amax(dim=1, keepdim=True)
    assert difference[mask == 0].max() == 0
    assert difference[mask == 1].mean() > 0.1


def test_an_oracle_of_no_known_pattern_is_refused() -> None:
    with pytest.raises(RegenError, match=r"unknown oracle: got 'cats_eyes', .*mean 'cat_eyes'\?"):
        Oracle("cats_eyes")
