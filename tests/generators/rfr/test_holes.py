"""Holes: growing, boxing, and random ones."""

from __future__ import annotations

import pytest
import torch

from regen.generators.rfr.holes import boxed, grown, random_hole


def dot(size: tuple[int, int] = (16, 20)) -> torch.Tensor:
    hole = torch.zeros(1, 1, *size)
    hole[..., 5, 7] = 1
    return hole


def test_a_hole_grows_all_round() -> None:
    assert torch.equal(grown(dot(), 0), dot())
    wider = grown(dot(), 2)
    assert wider.sum() == 25 and wider[..., 3:8, 5:10].sum() == 25


def test_the_box_around_a_hole() -> None:
    hole = dot()
    hole[..., 9, 3] = 1
    box = boxed(hole)
    assert box.sum() == 25 and box[..., 5:10, 3:8].sum() == 25
    assert not boxed(torch.zeros(1, 1, 4, 4)).any()


@pytest.mark.parametrize("size", [(64, 64), (40, 90)])
def test_random_holes(size: tuple[int, int]) -> None:
    asked: list[str] = []

    def part(name: str) -> torch.Tensor:
        asked.append(name)
        mask = torch.zeros(1, 1, *size)
        mask[..., 10:20, 10:20] = 1
        return mask

    holes = torch.cat([random_hole(seed, size, ("a", "b"), part) for seed in range(60)])
    shares = holes.mean((1, 2, 3))
    assert holes.shape == (60, 1, *size) and holes.unique().tolist() == [0, 1]
    assert shares.min() > 0 and shares.max() < 0.3
    assert set(asked) == {"a", "b"} and 10 < len(asked) < 40
    assert torch.equal(holes[7:8], random_hole(7, size, ("a", "b"), part))
    without = torch.cat([random_hole(seed, size) for seed in range(20)])
    assert without.mean((1, 2, 3)).min() > 0 and len(set(without.mean((1, 2, 3)).tolist())) > 15
