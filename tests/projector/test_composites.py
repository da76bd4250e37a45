from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.projector.composites import _lay_in_rounds, _lay_in_turn, _Pastes, composite
from regen.projector.settings import CompositeSettings


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 4, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=source(9)) * 2 - 1


def test_equal_states_give_equal_composites() -> None:
    first, again = composite(images(), source()), composite(images(), source())
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    other = composite(images(), source(1))
    assert not torch.equal(first[1], other[1])


def test_nothing_changes_outside_of_the_mask() -> None:
    before = images()
    image, mask = composite(before, source())
    untouched = (mask == 0).expand_as(image)
    assert torch.equal(image[untouched], before[untouched])
    assert untouched.any() and not torch.equal(image, before)


def test_ranges_and_shapes() -> None:
    image, mask = composite(images(8, 64), source())
    assert image.shape == (8, 3, 64, 64) and mask.shape == (8, 1, 64, 64)
    assert image.dtype == mask.dtype == torch.float32
    assert image.abs().max() <= 1 and mask.min() == 0 and mask.max() == 1


def test_the_given_images_are_not_written_to() -> None:
    before = images()
    copy = before.clone()
    composite(before, source())
    assert torch.equal(before, copy)


def test_most_of_an_image_stays() -> None:
    _, mask = composite(images(64, 64), source())
    assert 0.02 < mask.mean() < 0.3
    assert (mask.amax(dim=(1, 2, 3)) > 0).float().mean() > 0.95


def test_pastes_scale_with_the_image() -> None:
    config = CompositeSettings(pastes=(1, 1), radius=(16, 16), usual=0, mirrored=0)
    shares = []
    for side in (32, 128):
        _, mask = composite(torch.zeros(64, 3, side, side), source(), settings=config)
        shares.append(mask.mean().item())
    assert shares[0] == pytest.approx(shares[1], rel=0.25)


def test_pieces_of_extra_images_are_pasted() -> None:
    config = CompositeSettings(pieces=1.0)
    plain, _ = composite(torch.zeros(4, 3, 32, 32), source(), settings=config)
    extra, _ = composite(torch.zeros(4, 3, 32, 32), source(), settings=config, extra=images(64, 32))
    assert not torch.equal(plain, extra)


def test_half_precision_images_become_float32() -> None:
    image, mask = composite(images().bfloat16(), source())
    assert image.dtype == mask.dtype == torch.float32


def test_images_need_not_be_square() -> None:
    before = torch.zeros(32, 3, 16, 48)
    image, mask = composite(before, source())
    assert image.shape == before.shape and mask.shape == (32, 1, 16, 48)
    assert mask.amax(dim=(0, 1, 2)).min() > 0.5  # pastes reach every column


@pytest.mark.parametrize("shape", [(3, 32, 32), (2, 1, 32, 32), (2, 3, 6, 32), (2, 3, 32, 9)])
def test_what_is_not_such_an_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ProjectorError, match="images to paste into: got"):
        composite(torch.zeros(shape), source())


def test_extra_images_of_another_size_are_refused() -> None:
    with pytest.raises(ProjectorError, match=r"extra images: got \[1, 3, 8, 8\], expected"):
        composite(images(), source(), extra=torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pastes": (0, 3)}, "composites: pastes"),
        ({"pastes": (4, 3)}, "composites: pastes"),
        ({"usual": 2.0}, "composites: usual: got 2.0, expected 0 to 1"),
        ({"pieces": -1.0}, "composites: pieces: got -1.0"),
        ({"softest": 0.0}, "composites: softest: got 0.0, expected a number above 0"),
        ({"softest": float("inf")}, "composites: softest: got inf, expected a number above 0"),
        ({"radius": (3.0, 64.0)}, r"composites: radius: got \(3.0, 64.0\), expected 0 to 32"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ProjectorError, match=message):
        CompositeSettings(**settings)


@pytest.mark.parametrize("part", [2, 4])
def test_windows_are_as_dense_as_those_cut_from_whole_images(part: int) -> None:
    """A quarter and a sixteenth: as much is covered, and as many windows have nothing at all."""
    count, side, window = 400, 64, 64 // part
    _, mask = composite(torch.zeros(count, 3, side, side), source())
    corners = torch.randint(side - window + 1, [count, 2], generator=source(1)).tolist()
    cut = torch.stack(
        [one[:, y : y + window, x : x + window] for one, (y, x) in zip(mask, corners, strict=True)]
    )
    _, own = composite(torch.zeros(count, 3, window, window), source(2), whole=(side, side))
    assert own.mean() == pytest.approx(cut.mean().item(), rel=0.2)
    some = [(masks.amax(dim=(1, 2, 3)) > 0.5).float().mean().item() for masks in (own, cut)]
    assert some[0] == pytest.approx(some[1], abs=0.1) and some[0] < 0.9


def test_windows_may_all_be_without_pastes() -> None:
    few, before = CompositeSettings(pastes=(1, 1)), images(1, 8)
    image, mask = composite(before.half(), source(), settings=few, whole=(512, 512))
    assert torch.equal(image, before.half().float()) and image.dtype == torch.float32
    assert mask.shape == (1, 1, 8, 8) and mask.dtype == torch.float32 and not mask.any()


def test_pastes_reach_into_windows_from_outside() -> None:
    pastes = _Pastes.of(torch.tensor([500]), (16, 16), 32, source(), 0.0, beyond=5)
    for middles in (pastes.top + 16, pastes.left + 16):
        assert (middles.min(), middles.max()) == (-5, 20)


@pytest.mark.parametrize("beyond", [0, 3])
@pytest.mark.parametrize("size", [(32, 32), (24, 40), (46, 26)])
def test_pastes_in_rounds_are_those_in_turn(size: tuple[int, int], beyond: int) -> None:
    """A GPU lays one paste of every image at a time: twins, tiles that stick out, and none too."""
    random, side = source(4), min(size) // 2
    many = torch.tensor([3, 1, 6, 0, 2])
    pastes = _Pastes.of(many, size, side, random, 0.5, beyond)
    before = torch.rand(5, 3, *size, generator=random)
    colour = torch.rand(12, 3, side, side, generator=random)
    alpha = (torch.rand(12, 1, side, side, generator=random) * 2 - 0.5).clamp(0, 1)
    in_turn = _lay_in_turn(before, colour, alpha, pastes)
    in_rounds = _lay_in_rounds(before, colour, alpha, pastes)
    assert len(pastes.tile) > 12 and pastes.left.min() < 0
    assert all(torch.equal(a, b) for a, b in zip(in_turn, in_rounds, strict=True))


def test_pastes_are_laid_in_their_order_and_their_twins_right_after_them() -> None:
    pastes = _Pastes.of(torch.tensor([2, 0, 1]), (16, 16), 8, source(), 1.0)
    assert pastes.owner.tolist() == [0, 0, 0, 0, 2, 2]
    assert pastes.tile.tolist() == [0, 0, 1, 1, 2, 2]
    assert pastes.mirrored.tolist() == [False, True] * 3
    assert pastes.top[::2].tolist() == pastes.top[1::2].tolist()
