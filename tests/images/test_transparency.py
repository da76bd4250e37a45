"""`regen.images.transparency`: no colour of a transparent pixel shows."""

import pytest
import torch

from regen.images.raster import warp
from regen.images.transparency import carry, continued, seen


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_an_opaque_image_is_warped_as_it_is():
    image, alpha = noise(1, 3, 9, 9), torch.ones(1, 1, 9, 9)
    inner = (slice(None), slice(None), slice(6, 12), slice(6, 12))  # away from the border
    for scale in (2.0, 0.5):
        shift = 0.0 if scale == 2 else 6.0
        carried = carry(image, alpha, (18, 18), (scale, scale), (shift, shift))
        wanted = warp(image, (18, 18), (scale, scale), (shift, shift))
        part = inner if scale == 2 else (..., slice(8, 9), slice(8, 9))
        assert torch.equal(carried[part], wanted[part])


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_hidden_colours_change_nothing(scale):
    image, alpha = noise(1, 3, 12, 12), (noise(1, 1, 12, 12) > 0.2).float()
    other = torch.where(alpha > 0, image, -image)
    size, move = (10, 14), ((scale, scale), (1.5, -0.5))
    first, second = carry(image, alpha, size, *move), carry(other, alpha, size, *move)
    assert torch.equal(first, second)
    assert first.min() >= image.min() and first.max() <= image.max()


def test_colours_count_by_their_opacity():
    image = torch.tensor([1.0, -1.0]).expand(1, 1, 2, 2)
    alpha = torch.tensor([0.75, 0.25]).expand(1, 1, 2, 2)
    carried = carry(image, alpha, (1, 1), (0.5, 0.5), (0.0, 0.0))
    assert carried.item() == pytest.approx(0.75 - 0.25)


def test_colours_are_continued_from_the_nearest_visible_pixel():
    image, alpha = torch.arange(6.0).view(1, 1, 1, 6), torch.tensor([0, 0, 1, 0, 0.5, 0])
    found = continued(image, alpha.view(1, 1, 1, 6))
    assert found.flatten()[[0, 1, 2, 4, 5]].tolist() == [2, 2, 2, 4, 4]


def test_what_is_seen_of_a_mask_that_is_the_opacity_is_all_of_it():
    alpha = noise(1, 1, 4, 5).abs()
    assert torch.equal(seen(alpha, alpha), alpha)
    assert torch.equal(seen(torch.ones_like(alpha), alpha), alpha)
    assert seen(torch.zeros_like(alpha), alpha).amax() == 0
