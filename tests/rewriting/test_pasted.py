"""The exemplar pasted into samples as a pseudo-oracle."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.images.regions import Region
from regen.rewriting.composite import Example
from regen.rewriting.pasted import mean_region, pasted
from regen.rewriting.settings import RuleSettings

HARD = RuleSettings(feather_px=0)
IMAGES = torch.zeros(3, 3, 32, 32)


def flat(example: Example, value: float, box: Region) -> Example:
    """The example with an exemplar of one colour, and a target region."""
    exemplar = torch.full((1, 3, 32, 32), value)
    return replace(example, exemplar=exemplar, target_region=box)


def test_the_pattern_is_at_the_mean_place_of_its_targets(examples: list[Example]) -> None:
    first = flat(examples[0], 0.5, Region.box(8, 8, 16, 16))
    second = replace(first, target_region=Region.box(12, 8, 20, 16))
    images, regions = pasted([first, second], IMAGES, HARD)
    wanted = Region.box(10, 8, 18, 16).mask(32, 32)
    assert torch.equal(regions, wanted.expand(3, -1, -1, -1))
    torch.testing.assert_close(images, 0.5 * wanted.expand(3, 3, -1, -1))


def test_outside_of_it_samples_are_what_they_are(examples: list[Example]) -> None:
    before = torch.rand(2, 3, 32, 32) * 2 - 1
    images, regions = pasted(examples, before, RuleSettings(feather_px=2))
    away = (regions == 0).expand(-1, 3, -1, -1)
    assert torch.equal(images[away], before[away]) and not torch.equal(images, before)


def test_two_exemplars_of_one_place_are_one_pattern(examples: list[Example]) -> None:
    first = flat(examples[0], 0.5, Region.box(8, 8, 16, 16))
    second = flat(examples[0], -0.5, Region.box(9, 8, 17, 16))
    images, regions = pasted([first, second], IMAGES, HARD)
    assert images.min() == 0 and regions[0].sum() == 64


def test_two_exemplars_of_two_places_are_both_pasted(examples: list[Example]) -> None:
    first = flat(examples[0], 0.5, Region.box(8, 8, 16, 16))
    second = flat(examples[0], -0.5, Region.box(20, 8, 28, 16))
    images, regions = pasted([first, second], IMAGES, HARD)
    assert images[..., 10, 10].unique() == 0.5 and images[..., 10, 24].unique() == -0.5
    assert regions[0].sum() == 128


def test_the_outline_of_the_pattern_counts_as_for_targets(examples: list[Example]) -> None:
    alpha = Region.box(4, 4, 8, 12).mask(32, 32)  # the left half of its region
    half = replace(flat(examples[0], 0.5, Region.box(8, 8, 16, 16)), alpha=alpha)
    _, regions = pasted([half], IMAGES, HARD)
    assert torch.equal(regions[:1], Region.box(8, 8, 12, 16).mask(32, 32))


@pytest.mark.parametrize("kind", [Region.box, Region.ellipse])
def test_the_mean_of_several_shapes(kind: type) -> None:
    one = Region.union([kind(4, 4, 6, 6), kind(20, 4, 24, 8)])
    two = Region.union([kind(6, 4, 8, 6), kind(20, 6, 24, 10)])
    assert mean_region([one, two]) == Region.union([kind(5, 4, 7, 6), kind(20, 5, 24, 9)])


def test_shapes_without_a_mean_are_the_first_targets() -> None:
    polygon, box = Region.polygon([[1, 2], [3, 2], [3, 4]]), Region.box(1, 1, 3, 3)
    two = Region.union([box, box])
    for pair in ([polygon, polygon.shifted(2, 2)], [box, two], [box, polygon]):
        assert mean_region(pair) is pair[0]
