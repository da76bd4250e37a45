from __future__ import annotations

import torch
from torch import Tensor

from regen.projector.settings import CompositeSettings
from regen.projector.tiles import draw_tiles


def drawn(seed: int = 0, side: int = 64, **settings: object) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    sources = torch.full((2, 3, side, side), 0.5)
    return draw_tiles(48, random, sources, side, CompositeSettings(**settings))  # type: ignore[arg-type]


def test_ranges_and_shapes() -> None:
    colour, alpha = drawn()
    assert colour.shape == (48, 3, 32, 32) and alpha.shape == (48, 1, 32, 32)
    assert colour.abs().max() <= 1 and alpha.min() == 0 and alpha.max() == 1


def test_equal_states_give_equal_tiles() -> None:
    (colour, alpha), (again, same), (_, other) = drawn(), drawn(), drawn(seed=1)
    assert torch.equal(colour, again) and torch.equal(alpha, same)
    assert not torch.equal(alpha, other)


def test_each_tile_is_another_shape_of_other_colours() -> None:
    colour, alpha = drawn()
    assert len(torch.unique(alpha, dim=0)) == len(torch.unique(colour, dim=0)) == 48


def test_a_larger_radius_covers_more() -> None:
    small, large = (drawn(usual=0, radius=(r, r))[1].mean() for r in (8, 16))
    assert 2 < large / small < 5


def test_without_pieces_tiles_show_nothing_of_other_images() -> None:
    own, other = torch.zeros(1, 3, 32, 32), torch.ones(1, 3, 32, 32)
    settings = CompositeSettings(pieces=0)
    one, two = (
        draw_tiles(8, torch.Generator().manual_seed(0), sources, 32, settings)[0]
        for sources in (own, other)
    )
    assert torch.equal(one, two)
