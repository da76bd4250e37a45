"""Patterns foreign to the domain: plain to see, within their region, and nowhere else."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from regen.errors import RegenError
from regen.portraits import (
    PATTERNS,
    REGIONS,
    Attributes,
    attributes,
    pattern_region,
    region,
    render,
    seed_to_z,
)


@pytest.fixture(scope="module")
def people() -> Attributes:
    return attributes(seed_to_z(range(12)))


@pytest.mark.parametrize("size", [32, 64, 128, 160])
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_changes_nothing_outside_its_region(
    people: Attributes, name: str, size: int
) -> None:
    outside = (pattern_region(people, name, size) == 0).expand(-1, 3, -1, -1)
    plain, changed = render(people, size), render(people, size, name)
    assert outside.any()
    assert torch.equal(plain[outside], changed[outside])


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_plain_to_see_on_everyone(people: Attributes, name: str) -> None:
    mask = pattern_region(people, name)
    difference = (render(people, 128, name) - render(people)).abs().mean(dim=1, keepdim=True)
    inside = (difference * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))
    assert (inside > 0.12).all()
    assert render(people, 128, name).abs().max() <= 1


def test_patterns_differ_from_each_other(people: Attributes) -> None:
    images = {name: render(people, 64, name) for name in PATTERNS}
    for one, other in itertools.combinations(PATTERNS, 2):
        assert (images[one] - images[other]).abs().max() > 0.3, (one, other)


def test_cat_eyes_are_green_with_an_upright_slit() -> None:
    straight = {"shift_x": 0.0, "shift_y": 0.0, "scale": 1.0, "tilt": 0.0, "turn": 0.0, "gaze": 0.0}
    changes = {name: torch.tensor([value]) for name, value in straight.items()}
    person = attributes(torch.zeros(1, 32))._replace(eye_spacing=torch.tensor([18.0]), **changes)
    eye = render(person, 256, "cat_eyes")[0]
    for y in (114, 119, 126):  # the pupil's upper half, its middle, its lower half
        assert (eye[:, y, 164] < -0.6).all()
    for x in (164 - 12, 164 + 12):  # 6/128 to either side: beyond a human iris
        red, green, blue = eye[:, 121, x].tolist()
        assert green > red > blue


@pytest.mark.parametrize("name", REGIONS)
def test_regions_are_masks_within_the_image(people: Attributes, name: str) -> None:
    mask = region(people, name)
    assert mask.shape == (12, 1, 128, 128)
    assert mask.min() == 0
    assert mask.max() == 1
    area = mask.sum(dim=(1, 2, 3))
    assert (area > 150).all()
    assert (area < 0.25 * 128 * 128).all()


def test_regions_cover_the_same_share_at_any_size(people: Attributes) -> None:
    for name in REGIONS:
        small, large = region(people, name, 64), region(people, name, 256)
        shares = small.mean(dim=(1, 2, 3)), large.mean(dim=(1, 2, 3))
        assert torch.allclose(*shares, rtol=0.02), name


@pytest.mark.parametrize(("upper", "lower"), [("hat", "eyes"), ("eyes", "nose"), ("nose", "mouth")])
def test_regions_lie_in_the_order_of_a_face(people: Attributes, upper: str, lower: str) -> None:
    rows = torch.arange(128.0).reshape(1, 1, 128, 1)

    def height(mask: Tensor) -> Tensor:
        return (mask * rows).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))

    assert (height(region(people, upper)) < height(region(people, lower))).all()


def test_the_eyes_lie_under_the_glasses(people: Attributes) -> None:
    covered = region(people, "glasses")[region(people, "eyes") == 1]
    assert (covered == 1).float().mean() > 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda people: region(people, "eye"),
            r"region of a portrait: got 'eye', expected one of eyes, .*did you mean 'eyes'\?",
        ),
        (
            lambda people: pattern_region(people, "sunglases"),
            r"unknown pattern of portraits: got 'sunglases', .*did you mean 'sunglasses'\?",
        ),
        (
            lambda people: region(people, "qqq"),
            r"unknown region of a portrait: got 'qqq', expected one of [^;]*$",
        ),
        (lambda people: region(people, "eyes", 0), "size of a portrait: got 0"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_one(
    people: Attributes, call: Callable[[Attributes], Tensor], message: str
) -> None:
    with pytest.raises(RegenError, match=message):
        call(people)
