"""`regen.images.regions`: regions of several shapes, and pasting."""

import pytest
import torch

from regen.errors import RegionError
from regen.images.regions import Region, paste

EYES = Region.union([Region.box(2, 4, 6, 8), Region.box(10, 4, 14, 8)])


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


def test_a_mask_of_another_size_is_told_as_one_wherever_it_is_white():
    for place in (slice(0, 2), slice(18, 20)):
        mask = torch.zeros(1, 1, 20, 16)
        mask[:, :, place] = 1
        with pytest.raises(RegionError) as caught:
            Region.from_mask(mask).mask(16, 16)
        said = "mask: got 16 x 20 pixels, expected the size of its image, 16 x 16"
        assert str(caught.value) == said


def test_rounding_does_not_put_a_region_outside():
    assert Region.box(0, 0, 451, 300).scaled(128 / 451, 85 / 300).mask(85, 128).min() > 0.999


def test_an_empty_region_is_reported():
    with pytest.raises(RegionError, match="region is empty: expected at least one shape"):
        Region(())
    back_and_forth = Region.polygon([[0, 0], [2, 0], [2, 2], [0, 0], [2, 0], [2, 2]])
    with pytest.raises(RegionError, match="region has zero area"):
        back_and_forth.mask(4, 4)


@pytest.mark.parametrize("points", [3, None, "ab", [1, 2, 3], [(1, 2, 3)] * 3])
def test_what_is_no_list_of_points_is_reported(points):
    with pytest.raises(RegionError, match=r"^polygon: got .*, expected points \(x, y\)$"):
        Region.polygon(points)


def test_a_region_splits_into_its_shapes():
    assert [part.bounds for part in EYES.split()] == [(2, 4, 6, 8), (10, 4, 14, 8)]
    drawn = Region.from_mask(EYES.mask(16, 16)).split()
    assert [part.bounds for part in drawn] == [(2, 4, 6, 8), (10, 4, 14, 8)]


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
