"""The network against a second implementation, written from the facts alone."""

from __future__ import annotations

import pytest
import torch

from regen.generators.rfr.network import cropped, padded
from regen.generators.rfr.original import original_state
from tests.generators.rfr.reference import fill
from tests.helpers.rfr import holed, lively
from tests.tolerances import assert_near


@pytest.mark.parametrize(("width", "kernel", "rounds"), [(8, 3, 2), (16, 5, 6), (8, 7, 6)])
def test_the_network_is_that_of_the_facts(width: int, kernel: int, rounds: int) -> None:
    generator = lively(width=width, kernel=kernel, rounds=rounds)
    image, known = holed(2, (48, 32))
    wanted = fill(original_state(generator), image, known.expand(-1, 3, -1, -1), rounds)
    assert wanted.std() > 0.05
    assert_near(generator.network(image, known), wanted, size=10)


def test_what_the_hole_hides_is_not_looked_at() -> None:
    network = lively().network
    image, known = holed(1, (32, 32))
    other = torch.where(known > 0, image, torch.rand(1, 3, 32, 32))
    assert torch.equal(network(image, known), network(image * known, known))
    assert torch.equal(network(image, known), network(other, known))


def test_sizes_that_are_no_multiple_of_16_are_padded() -> None:
    network = lively().network
    image, known = holed(1, (40, 21))
    wide = network(padded(image), padded(known))
    assert padded(image).shape == (1, 3, 48, 32)
    got = network(image, known)
    assert got.shape == image.shape
    inside = slice(0, 36), slice(0, 17)  # the last convolutions see the padding at the border
    assert_near(got[..., inside[0], inside[1]], cropped(wide, image)[..., inside[0], inside[1]])


def test_a_sample_does_not_depend_on_its_neighbours() -> None:
    network = lively().network
    image, known = holed(3, (32, 32))
    assert_near(network(image, known)[1:2], network(image[1:2], known[1:2]))
