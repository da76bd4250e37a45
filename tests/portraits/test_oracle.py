"""The ground truth for a seed: NVIDIA's latents, and both images of one person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from regen.errors import RegenError
from regen.portraits import PortraitsOracle, attributes, region, render, seed_to_z


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
def test_what_is_not_a_seed_is_refused(seed: int) -> None:
    with pytest.raises(RegenError, match=r"seed: got .*, expected an integer from 0 to 4294967295"):
        seed_to_z([seed])


@dataclass(frozen=True)
class Person:
    index: int | None


def people(*seeds: int) -> list[Person]:
    return [Person(seed) for seed in seeds]


def test_the_oracle_knows_people_with_and_without_a_pattern() -> None:
    oracle, faces = PortraitsOracle(64), attributes(seed_to_z([3, 9]))
    assert torch.equal(oracle.plain(people(3, 9)), render(faces, 64))
    assert torch.equal(oracle.wanted(people(3, 9), "red_nose"), render(faces, 64, "red_nose"))
    assert torch.equal(oracle.region("eyes", people(3, 9)), region(faces, "eyes", 64))


@pytest.mark.parametrize("pattern", ["cat_eyes", "medical_mask"])
def test_both_images_agree_outside_the_region_and_only_there(pattern: str) -> None:
    oracle, samples = PortraitsOracle(), people(0, 1, 2, 3)
    mask = oracle.changed(samples, pattern)
    difference = (oracle.plain(samples) - oracle.wanted(samples, pattern)).abs()
    difference = difference.amax(dim=1, keepdim=True)
    assert difference[mask == 0].max() == 0
    assert difference[mask == 1].mean() > 0.1


def test_an_unknown_pattern_is_refused() -> None:
    for call in (PortraitsOracle().wanted, PortraitsOracle().changed):
        with pytest.raises(RegenError, match=r"unknown pattern.*'cats_eyes', .*mean 'cat_eyes'\?"):
            call(people(1), "cats_eyes")


def test_a_sample_that_is_none_of_the_numbered_people() -> None:
    oracle = PortraitsOracle()
    assert oracle.knows(Person(3)) and not oracle.knows(Person(None))
    with pytest.raises(RegenError, match="untruncated seeds only"):
        oracle.plain([Person(3), Person(None)])
    assert "cat_eyes" in oracle.patterns and "eyes" in oracle.regions
