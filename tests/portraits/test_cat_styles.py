"""A style code's meaning: ranges, palettes, one coordinate for each trait of a cat."""

from __future__ import annotations

import pytest
import torch

from regen.errors import RegenError
from regen.portraits import CatStyle, cat_style
from regen.portraits.cat_styles import PALETTES, RANGES, STYLE_DIM


def test_looks_lie_in_their_ranges_and_palettes() -> None:
    assert len(CatStyle._fields) == STYLE_DIM == 8
    assert set(CatStyle._fields) == set(RANGES) | set(PALETTES)
    for name, values in zip(CatStyle._fields, cat_style(torch.randn(500, STYLE_DIM)), strict=True):
        if name in RANGES:
            low, high = RANGES[name]
            assert low <= values.min() < values.max() <= high, name
        else:
            palette = torch.tensor(PALETTES[name])
            assert (values >= palette.amin(dim=0) - 1e-6).all(), name
            assert (values <= palette.amax(dim=0) + 1e-6).all(), name


@pytest.mark.parametrize("shape", [(8,), (2, 7)])
def test_codes_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RegenError, match=r"style codes of cats: got shape .*, expected \[N, 8\]"):
        cat_style(torch.zeros(shape))


@pytest.mark.parametrize("index", range(STYLE_DIM))
def test_a_coordinate_moves_its_trait_alone(index: int) -> None:
    code = torch.randn(4, STYLE_DIM)
    moved = code.clone()
    moved[:, index] += 0.5
    for i, (before, after) in enumerate(zip(cat_style(code), cat_style(moved), strict=True)):
        assert torch.equal(before, after) != (i == index)


def test_the_middle_of_a_coordinate_is_the_middle_of_its_range() -> None:
    style = cat_style(torch.zeros(1, STYLE_DIM))
    assert style.stripes.item() == pytest.approx(0.5)
    assert style.eyes[0].tolist() == pytest.approx(PALETTES["eyes"][2])
