"""Regions that keys suggest."""

from __future__ import annotations

import torch
from torch import Tensor

from regen.rewriting.key_similarity import whitening_of
from regen.rewriting.suggestions import part_at, same_part

SIDE, CHANNELS, NOISY = 16, 12, 3
LEFT, RIGHT, MOUTH = (
    (slice(4, 7), slice(2, 6)),
    (slice(4, 7), slice(10, 14)),
    (slice(11, 13), slice(5, 11)),
)


def faces(count: int, shift: int = 0) -> Tensor:
    """Keys that say eye, mouth or nothing, ``[N, K, kh, kw]``, moved down by some rows."""
    keys = torch.zeros(count, CHANNELS, SIDE, SIDE)
    keys[:, 2] = 3  # what is neither
    noise = torch.randn(count, NOISY, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    keys[:, -NOISY:] = 0.003 * noise
    for channel, (rows, columns) in ((0, LEFT), (0, RIGHT), (1, MOUTH)):
        place = slice(rows.start + shift, rows.stop + shift), columns
        keys[:, channel, place[0], place[1]] = 3
        keys[:, 2, place[0], place[1]] = 0
    return keys


WHITE = whitening_of(faces(16))


def share_inside(mask: Tensor, *parts: tuple[slice, slice]) -> float:
    """Share of a mask that lies on parts of four times the key's size."""
    inside = torch.zeros(4 * SIDE, 4 * SIDE)
    for rows, columns in parts:
        inside[4 * rows.start : 4 * rows.stop, 4 * columns.start : 4 * columns.stop] = 1
    return float((mask[0, 0] * inside).sum() / mask.sum())


def test_a_part_is_found_from_a_point_in_it_with_its_twin() -> None:
    mask = part_at(WHITE, faces(1), (4 / SIDE, 5.5 / SIDE), (64, 64))
    assert mask.shape == (1, 1, 64, 64) and mask.min() >= 0 and mask.max() <= 1
    assert share_inside(mask, LEFT, RIGHT) > 0.7
    assert mask[0, 0, 22, 16] > 0.5 and mask[0, 0, 22, 48] > 0.5
    assert mask[0, 0, 48, 32] < 0.1


def test_another_part_is_not_taken_along() -> None:
    mask = part_at(WHITE, faces(1), (8 / SIDE, 12 / SIDE), (64, 64))
    assert share_inside(mask, MOUTH) > 0.7


def test_a_point_at_the_edge_is_inside_its_image() -> None:
    assert part_at(WHITE, faces(1), (1.0, 1.0), (64, 64))[0, 0, 63, 63] > 0


def test_a_region_is_carried_to_where_the_part_is_in_others() -> None:
    region = torch.zeros(1, 1, 64, 64)
    region[..., 44:52, 20:44] = 1
    masks = same_part(WHITE, faces(1), region, torch.cat([faces(1), faces(1, shift=2)]), (64, 64))
    lower = slice(MOUTH[0].start + 2, MOUTH[0].stop + 2), MOUTH[1]
    assert masks.shape == (2, 1, 64, 64)
    for mask, part in ((masks[:1], MOUTH), (masks[1:], lower)):
        assert share_inside((mask > 0.5).float(), part) > 0.6
