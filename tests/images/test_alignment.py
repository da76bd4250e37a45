"""`regen.images.alignment`: moving a pattern onto a region, with the outline of either."""

from itertools import permutations

import numpy as np
import pytest
import torch

from regen.errors import RegionError
from regen.images.alignment import _assigned, align, similarity
from regen.images.raster import bounds
from regen.images.regions import Region

EYES = Region.union([Region.box(2, 4, 6, 8), Region.box(10, 4, 14, 8)])


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def flat_patches():
    """An image whose left half is 0.25 and whose right half is 0.75."""
    image = torch.full((1, 3, 16, 16), 0.25)
    image[..., 8:] = 0.75
    return image


def is_all(values, number):
    return torch.allclose(values, torch.tensor(number))


def test_similarity_takes_one_box_onto_another():
    move = similarity((2, 4, 6, 8), (10, 10, 12, 18))
    assert move.scale == (0.5, 2.0)
    assert move.shift == (9.0, 2.0)


def test_a_uniform_similarity_covers_the_target_and_matches_centres():
    move = similarity((0, 0, 4, 4), (10, 10, 12, 18), uniform=True)
    assert move.scale == (2.0, 2.0)
    assert [2 * s + d for s, d in zip(move.scale, move.shift, strict=True)] == [11, 14]


def test_aligning_a_region_with_itself_changes_nothing():
    image = noise(1, 3, 16, 16)
    region = Region.ellipse(8, 8, 5, 4)
    aligned, mask = align(image, region, region, (16, 16))
    torch.testing.assert_close(aligned, image)
    torch.testing.assert_close(mask, region.mask(16, 16))


def test_aligning_moves_and_scales_a_pattern():
    image = torch.zeros(1, 3, 32, 32)
    image[..., 4:12, 8:24] = 1
    aligned, mask = align(image, Region.box(8, 4, 24, 12), Region.box(2, 6, 10, 10), (16, 12))
    assert aligned.shape == (1, 3, 16, 12)
    torch.testing.assert_close(mask, Region.box(2, 6, 10, 10).mask(16, 12))
    assert aligned[..., 7:9, 3:9].min() > 0.99
    assert aligned[..., :5, :].max() < 0.01
    assert aligned[..., 6:10, 2:10].mean() > 0.9


def test_each_shape_goes_to_the_one_in_its_place():
    onto = Region.union([Region.box(11, 9, 15, 11), Region.box(1, 9, 3, 11)])  # right one first
    aligned, mask = align(flat_patches(), EYES, onto, (16, 16))
    assert is_all(aligned[..., 9:11, 1:3], 0.25)
    assert is_all(aligned[..., 9:11, 11:15], 0.75)
    torch.testing.assert_close(mask, onto.mask(16, 16))
    assert is_all(aligned[..., :3], 0.25)  # beyond the mask too


def test_drawn_masks_are_aligned_part_by_part():
    onto = Region.union([Region.ellipse(3, 10, 2, 1), Region.ellipse(13, 10, 2, 1)])
    drawn = Region.from_mask(onto.mask(16, 16))
    aligned, mask = align(flat_patches(), EYES, drawn, (16, 16))
    assert is_all(aligned[..., 1:5], 0.25)
    assert is_all(aligned[..., 11:15], 0.75)
    torch.testing.assert_close(mask, onto.mask(16, 16))


def test_regions_of_different_numbers_are_aligned_as_wholes():
    whole = Region.box(2, 4, 14, 8)
    image = noise(1, 3, 16, 16)
    aligned, mask = align(image, whole, EYES, (16, 16))
    torch.testing.assert_close(aligned, image)
    torch.testing.assert_close(mask, EYES.mask(16, 16))


def test_the_mask_has_the_outline_that_was_asked_for():
    almond = Region.ellipse(8, 8, 4, 2)
    box = Region.box(4, 6, 12, 10)
    masks = {
        shape: align(noise(1, 3, 16, 16), almond, box, (16, 16), shape=shape)[1]
        for shape in ("target", "source")
    }
    torch.testing.assert_close(masks["target"], box.mask(16, 16))
    torch.testing.assert_close(masks["source"], almond.mask(16, 16))


def test_a_uniform_scale_does_not_distort():
    image = torch.zeros(1, 1, 16, 16)
    image[..., 7:9, 7:9] = 1
    square, wide = Region.box(6, 6, 10, 10), Region.box(4, 6, 12, 10)
    stretched, _ = align(image, square, wide, (16, 16))
    uniform, mask = align(image, square, wide, (16, 16), uniform=True)
    assert stretched.sum().item() == pytest.approx(2 * 4, rel=0.05)
    assert uniform.sum().item() == pytest.approx(4 * 4, rel=0.05)
    torch.testing.assert_close(uniform, uniform.transpose(2, 3))
    torch.testing.assert_close(mask, wide.mask(16, 16))


def test_features_of_any_width_are_aligned():
    features = noise(1, 7, 8, 8)
    aligned, mask = align(features, Region.box(0, 0, 4, 4), Region.box(4, 4, 8, 8), (8, 8))
    assert aligned.shape == (1, 7, 8, 8)
    torch.testing.assert_close(aligned[..., 4:, 4:], features[..., :4, :4])
    assert mask.sum() == 16


def test_aligning_can_be_differentiated():
    image = noise(1, 1, 6, 6).double().requires_grad_()
    region, onto = Region.box(1, 1, 4, 4), Region.box(2, 2, 4, 5)
    assert torch.autograd.gradcheck(lambda x: align(x, region, onto, (5, 5))[0], image)


def test_aligning_refuses_regions_outside_and_batches():
    inside, outside = Region.box(1, 1, 4, 4), Region.box(1, 1, 40, 4)
    for pair in ((inside, outside), (outside, inside)):
        with pytest.raises(RegionError, match="region reaches outside its image"):
            align(noise(1, 3, 8, 8), *pair, (8, 8))
    with pytest.raises(RegionError, match=r"image to align: got \[2, 3, 8, 8\], expected \[1, C"):
        align(noise(2, 3, 8, 8), inside, inside, (8, 8))


def test_a_pattern_with_its_own_outline_stays_inside_the_target():
    square, wide = Region.box(2, 2, 6, 6), Region.box(4, 6, 12, 10)
    _, mask = align(noise(1, 3, 16, 16), square, wide, (16, 16), uniform=True, shape="source")
    torch.testing.assert_close(mask, Region.box(6, 6, 10, 10).mask(16, 16))
    _, mask = align(noise(1, 3, 16, 16), square, wide, (16, 16), shape="source")
    assert bounds(mask) == wide.bounds


def test_a_mask_that_touches_the_border_ends_there():
    whole = Region.from_mask(torch.ones(1, 1, 4, 4))
    _, mask = align(noise(1, 3, 4, 4), whole, Region.box(4, 4, 12, 12), (16, 16), shape="source")
    assert mask[..., 5:11, 5:11].min() == 1
    assert mask[..., :3].max() == mask[..., 13:].max() == mask[..., :3, :].max() == 0


def disc(hidden):
    """A red image with a visible square of 8 pixels in the middle, of another colour elsewhere."""
    alpha = torch.zeros(1, 1, 16, 16)
    alpha[..., 4:12, 4:12] = 1
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
    return torch.where(alpha > 0, red, hidden), alpha


@pytest.mark.parametrize("shape", ["target", "source"])
@pytest.mark.parametrize("hidden", [1.0, -1.0])
def test_what_is_transparent_is_neither_pasted_nor_seen(shape, hidden):
    image, alpha = disc(torch.tensor(hidden))
    whole, onto = Region.box(0, 0, 16, 16), Region.box(3, 3, 30, 30)
    aligned, mask = align(image, whole, onto, (32, 32), shape=shape, alpha=alpha)
    assert mask.sum().item() == pytest.approx((8 * 27 / 16) ** 2, rel=0.02)
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand_as(aligned)
    torch.testing.assert_close(aligned, red, rtol=0, atol=1e-5)  # beyond the mask too


def test_a_region_in_which_nothing_is_visible_is_refused():
    image, alpha = disc(torch.tensor(0.0))
    corner = Region.box(0, 0, 3, 3)
    with pytest.raises(RegionError, match="exemplar: nothing of its region is visible: expected"):
        align(image, corner, corner, (16, 16), alpha=alpha)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_shapes_are_paired_at_the_least_cost(count: int) -> None:
    """Up to three by trying all orders, more by scipy."""
    costs = np.random.default_rng(count).random((count, count))
    chosen = _assigned(costs)
    orders = list(permutations(range(count)))
    sums = [sum(costs[i, order[i]] for i in range(count)) for order in orders]
    assert tuple(chosen) == orders[int(np.argmin(sums))]
