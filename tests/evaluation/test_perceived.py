"""LPIPS of everything that is compared is that of each pair by itself."""

from __future__ import annotations

import pytest
import torch

from regen.evaluation.perceived import perceive, together
from regen.metrics import load_lpips, masked_lpips

COUNT = 5


@pytest.fixture
def regions() -> torch.Tensor:
    regions = torch.zeros(COUNT, 1, 32, 32)
    regions[..., 8:20, 4:28] = 1
    return regions


def test_each_pair_inside_and_outside(regions: torch.Tensor) -> None:
    lpips = load_lpips()
    names = ("before", "after", "oracle", "plain")
    images = {name: torch.rand(COUNT, 3, 32, 32) * 2 - 1 for name in names}
    found = perceive(images, regions, lpips)
    assert len(found) == 9
    for (one, two, part), distances in found.items():
        mask = regions if part == "inside" else 1 - regions
        wanted = masked_lpips(images[one], images[two], mask, lpips)
        torch.testing.assert_close(distances, wanted)


def test_without_an_oracle_only_the_change_is_compared(regions: torch.Tensor) -> None:
    images = {"before": torch.zeros(COUNT, 3, 32, 32), "after": torch.ones(COUNT, 3, 32, 32)}
    found = perceive({**images, "oracle": None, "plain": None}, regions, load_lpips())
    assert set(found) == {("before", "after", "inside"), ("before", "after", "outside")}
    both = together(found, found)
    assert both["before", "after", "inside"].shape == (2 * COUNT,)
