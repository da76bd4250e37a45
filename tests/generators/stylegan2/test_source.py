"""Samples of a StyleGAN2: seeds with truncation, noise and class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.source import (
    SeedSource,
    StyleSample,
    one_hot,
    read_sample,
)
from regen.seeds import LARGEST_SEED


def test_only_a_plain_seed_has_a_number() -> None:
    assert (StyleSample(seed=3).index, StyleSample(seed=3).label) == (3, "seed 3")
    for changed in ({"truncation": 0.5}, {"noise": "none"}, {"class_index": 0}):
        sample = StyleSample(seed=3, **changed)  # type: ignore[arg-type]
        assert sample.index is None and SeedSource().index_of(sample) == 3


def test_varied_seeds_have_a_truncation_of_their_own_that_stays() -> None:
    samples = SeedSource().varied(range(200))
    psi = [sample.truncation for sample in samples]  # type: ignore[attr-defined]
    assert samples == SeedSource().varied(range(200)) and len(set(psi)) == 200
    assert 0.5 <= min(psi) < 0.52 and 0.98 < max(psi) <= 1
    assert abs(sum(psi) / 200 - 0.75) < 0.03


def test_typical_samples_begin_with_the_mean() -> None:
    first, *others = SeedSource().typical(4)
    assert first == StyleSample(seed=0, truncation=0.0)
    assert [s.truncation for s in others] == [0.7] * 3  # type: ignore[attr-defined]
    assert len({SeedSource().index_of(s) for s in others}) == 3
    assert SeedSource().typical(1) == [first] and SeedSource().typical(0) == []


def test_a_request_is_read() -> None:
    assert read_sample({"seed": 7}) == StyleSample(seed=7)
    request = {"seed": LARGEST_SEED, "truncation": 1, "noise": "random", "class": 2}
    sample = read_sample(request)
    assert (sample.truncation, sample.noise, sample.class_index) == (1.0, "random", 2)


def test_numbers_of_a_request_may_be_of_numpy_and_torch() -> None:
    request = {"seed": np.int64(7), "truncation": np.float32(0.5), "class": torch.tensor(2)}
    sample = read_sample(request)
    assert sample == StyleSample(seed=7, truncation=0.5, class_index=2)
    kinds = {type(sample.seed), type(sample.truncation), type(sample.class_index)}
    assert kinds == {int, float}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "seed: got None, expected an integer from 0 to 4294967295"),
        ({"seed": True}, "seed: got True"),
        ({"seed": -1}, "seed: got -1, expected an integer from 0 to 4294967295"),
        ({"seed": 1, "truncation": "1"}, "truncation: got '1', expected a number from -10 to 10"),
        ({"seed": 1, "truncation": True}, "truncation: got True, expected a number from"),
        ({"seed": 1, "truncation": np.float32("nan")}, "truncation: got nan, expected a number"),
        ({"seed": 1, "truncation": 10**400}, "truncation: got 1000"),
        ({"seed": np.float32(1)}, "seed: got 1.0, expected an integer from 0 to 4294967295"),
        ({"seed": torch.tensor(True)}, "seed: got True, expected an integer from 0 to 4294967295"),
        ({"seed": 1, "truncation": float("inf")}, "truncation: got inf, expected a number from"),
        ({"seed": 1, "truncation": 1e40}, "truncation: got 1e+40, expected a number"),
        ({"seed": 1, "noise": "some"}, "noise: got 'some', expected const or random or none"),
        ({"seed": 1, "class": 1.0}, "class: got 1.0, expected a number from 0"),
        ({"seed": 1, "hole": 3}, "a sample with a hole: expected one of seed, truncation, noise"),
    ],
)
def test_requests_that_make_no_sample(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(GeneratorError) as raised:
        read_sample(request_)
    assert str(raised.value).startswith(message)


def test_classes_become_one_hot() -> None:
    assert one_hot([None, None], 3) is None
    assert torch.equal(one_hot([2, 0], 3), torch.eye(3)[[2, 0]])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("indices", "classes", "message"),
    [
        ([1], 0, "class: got 1, expected none"),
        ([3], 3, "class: got 3, expected 0 to 2"),
        ([1, None], 3, "class: got none for some samples, expected one for each"),
    ],
)
def test_classes_that_are_not_there(indices: list[Any], classes: int, message: str) -> None:
    with pytest.raises(GeneratorError, match=f"^{message}"):
        one_hot(indices, classes)
