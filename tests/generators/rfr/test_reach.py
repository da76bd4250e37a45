"""How far a network reaches into a hole."""

from __future__ import annotations

import torch

from regen.generators.rfr.reach import reached
from tests.helpers.rfr import lively


def known(side: int) -> torch.Tensor:
    mask = torch.ones(1, 1, 64, 64)
    start = (64 - side) // 2
    mask[..., start : start + side, start : start + side] = 0
    return mask


def test_more_rounds_reach_further() -> None:
    small, large = lively(rounds=1).network, lively(rounds=3).network
    assert (reached(small, known(12)) == 1).all()
    left, fewer = (64 * 64 - reached(network, known(44)).sum() for network in (small, large))
    assert left > fewer > 0
    assert (reached(small, known(40)) >= known(40)).all()


def test_it_is_where_the_network_knows_something() -> None:
    network = lively(rounds=1).network
    _, found = network.gather(torch.zeros(1, 3, 64, 64), known(40))
    wide = torch.nn.functional.interpolate(found, scale_factor=2.0)
    assert torch.equal(reached(network, known(40)), torch.maximum(wide, known(40)))
