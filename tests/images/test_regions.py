"""`regen.images.regions`: regions of several shapes, aligning one with another, pasting."""

import pytest
import torch

from regen.errors import RegionError
from regen.images.regions import Region, align, paste, similarity

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


def test_a_box_becomes_a_mask():
    mask = Region.box(1, 2, 3, 3.5).mask(5, 4)
    expected = torch.zeros(1, 1, 5, 4)
    expected[..., 2, 1:3] = 1
    expected[..., 3, 1:3] = 0.5
    torch.testing.assert_close(mask, expected)


def test_every_kind_of_shape_makes_a_mask():
    polygon = Region.polygon([[1, 2], [3, 2], [3, 3.5], [1, 3.5]])
    torch.testing.assert_close(polygon.mask(5, 4), Region.box(1, 2, 3, 3.5).mask(5, 4))
    assert Region.ellipse(2, 2, 2, 1).mask(4, 4).sum() == pytest.approx(6.283, rel=1e-3)
    mask = torch.rand(1, 1, 3, 4)
    assert torch.equal(Region.from_mask(mask).mask(3, 4), mask)


def test_a_union_is_the_larger_of_its_masks():
    assert EYES.mask(16, 16).sum() == 32
    half = Region.box(0, 0, 1.5, 1)
    torch.testing.assert_close(Region.union([half, half]).mask(2, 2), half.mask(2, 2))
    assert EYES.bounds == (2, 4, 14, 8)


def test_scaling_and_shifting_reach_every_shape():
    assert EYES.scaled(2, 0.5).bounds == (4, 2, 28, 4)
    assert EYES.shifted(1, -2).bounds == (3, 2, 15, 6)


@pytest.mark.parametrize("shift", [(-3, 0), (0, -5), (3, 0), (0, 9)])
def test_a_region_outside_of_its_image_is_reported(shift):
    with pytest.raises(RegionError) as caught:
        EYES.shifted(*shift).mask(16, 16)
    x0, y0, x1, y1 = EYES.shifted(*shift).bounds
    assert str(caught.value) == (
        "region reaches outside its image: "
        f"got x from {x0} to {x1} and y from {y0} to {y1}, "
        "expected x from 0 to 16 and y from 0 to 16; give pixels of this image at its own size"
    )


def test_rounding_does_not_put_a_region_outside():
    assert Region.box(0, 0, 451, 300).scaled(128 / 451, 85 / 300).mask(85, 128).min() > 0.999


def test_an_empty_region_is_reported():
    with pytest.raises(RegionError, match="region is empty: expected at least one shape"):
        Region(())
    back_and_forth = Region.polygon([[0, 0], [2, 0], [2, 2], [0, 0], [2, 0], [2, 2]])
    with pytest.raises(RegionError, match="region has zero area"):
        back_and_forth.mask(4, 4)


def test_a_region_splits_into_its_shapes():
    assert [part.bounds for part in EYES.split()] == [(2, 4, 6, 8), (10, 4, 14, 8)]
    drawn = Region.from_mask(EYES.mask(16, 16)).split()
    assert [part.bounds for part in drawn] == [(2, 4, 6, 8), (10, 4, 14, 8)]


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
        for shape in ("target", "source", "union")
    }
    torch.testing.assert_close(masks["target"], box.mask(16, 16))
    torch.testing.assert_close(masks["source"], almond.mask(16, 16))
    torch.testing.assert_close(masks["union"], box.mask(16, 16))


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


def test_paste_blends_by_the_mask():
    values, pasted = torch.zeros(2, 3, 1, 3), torch.ones(1, 3, 1, 3)
    mask = torch.tensor([0, 0.25, 1]).view(1, 1, 1, 3)
    result = paste(values, pasted, mask)
    assert result.shape == (2, 3, 1, 3)
    assert result[1, 2, 0].tolist() == [0, 0.25, 1]


@pytest.mark.parametrize(
    ("pasted", "mask"),
    [((1, 3, 4, 5), (1, 1, 4, 4)), ((3, 3, 4, 4), (1, 1, 4, 4)), ((1, 3, 4, 4), (1, 3, 4, 4))],
)
def test_paste_refuses_other_shapes(pasted, mask):
    with pytest.raises(RegionError) as caught:
        paste(torch.zeros(2, 3, 4, 4), torch.zeros(pasted), torch.zeros(mask))
    assert str(caught.value) == (
        f"cannot paste: got values [2, 3, 4, 4], pasted {list(pasted)}, mask {list(mask)}, "
        "expected one height and width, and a mask of one channel"
    )
