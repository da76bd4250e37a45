"""`regen.images.raster`: filling, resizing, blurring and warping without aliasing."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from regen.errors import RegionError
from regen.images import raster

POINTS = st.tuples(st.floats(0, 8, width=32), st.floats(0, 6, width=32))


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def triangle_area(points):
    (ax, ay), (bx, by), (cx, cy) = points
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2


def test_the_size_is_height_and_width():
    assert raster.size_of(noise(2, 3, 4, 5)) == (4, 5)


def test_a_rectangle_on_whole_pixels_is_zeros_and_ones():
    mask = raster.fill_polygon([(1, 2), (4, 2), (4, 3), (1, 3)], 4, 5)
    expected = torch.zeros(4, 5)
    expected[2, 1:4] = 1
    assert torch.equal(mask, expected)


def test_parts_of_pixels_count_by_area():
    mask = raster.fill_polygon([(0.25, 0.1), (1.5, 0.1), (1.5, 1), (0.25, 1)], 1, 2)
    torch.testing.assert_close(mask, torch.tensor([[0.75 * 0.9, 0.5 * 0.9]]))


@given(st.tuples(POINTS, POINTS, POINTS))
def test_the_area_of_any_triangle_is_exact(points):
    assert raster.fill_polygon(points, 6, 8).sum().item() == pytest.approx(
        triangle_area(points), abs=1e-4
    )


@given(st.tuples(POINTS, POINTS, POINTS))
def test_the_order_of_corners_does_not_matter(points):
    one, two = raster.fill_polygon(points, 6, 8), raster.fill_polygon(points[::-1], 6, 8)
    torch.testing.assert_close(one, two)


def test_a_crossing_outline_is_filled_by_the_even_odd_rule():
    mask = raster.fill_polygon([(0, 0), (4, 4), (4, 0), (0, 4)], 4, 4)
    assert mask.sum().item() == pytest.approx(8)
    star = [
        (math.cos(4 * math.pi * i / 5) * 9 + 10, math.sin(4 * math.pi * i / 5) * 9 + 10)
        for i in range(5)
    ]
    assert raster.fill_polygon(star, 20, 20)[10, 10] == 0  # wound around twice


def test_what_is_outside_of_the_image_is_cut_off():
    mask = raster.fill_polygon([(-5, -5), (99, -5), (99, 1), (-5, 1)], 2, 3)
    assert mask.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert raster.fill_polygon([(5, 5), (6, 5), (6, 6)], 2, 3).sum() == 0


def test_a_tall_image_is_filled_in_pieces():
    mask = raster.fill_polygon([(0, 0), (2, 0), (2, 500), (0, 500)], 500, 2)
    assert mask.min() == 1


def test_bounds_are_the_edges_of_pixels():
    mask = torch.zeros(1, 1, 5, 7)
    mask[..., 1:3, 2:6] = 0.6
    assert raster.bounds(mask) == (2, 1, 6, 3)
    with pytest.raises(RegionError, match=r"mask is empty: expected a pixel above 0\.7"):
        raster.bounds(mask, 0.7)


def test_bounds_of_several_masks_are_around_all():
    masks = torch.zeros(3, 1, 5, 7)
    masks[0, :, 1, 2] = masks[2, :, 3, 5] = 1
    assert raster.bounds(masks) == (2, 1, 6, 4)


def test_resize_mask_averages_by_area():
    mask = torch.tensor([[[[1.0, 0.0, 1.0]]]])
    torch.testing.assert_close(raster.resize_mask(mask, 1, 2), torch.tensor([[[[2 / 3, 2 / 3]]]]))
    torch.testing.assert_close(
        raster.resize_mask(mask, 2, 6), mask.repeat_interleave(2, 2).repeat_interleave(2, 3)
    )


@given(st.integers(1, 12), st.integers(1, 12))
def test_resize_mask_keeps_the_mean(height, width):
    mask = noise(2, 1, 5, 7)
    resized = raster.resize_mask(mask, height, width)
    assert resized.shape == (2, 1, height, width)
    torch.testing.assert_close(resized.mean((2, 3)), mask.mean((2, 3)))


def test_resize_mask_refuses_what_it_cannot_do():
    with pytest.raises(RegionError, match=r"got \[5, 7\] to 2 x 2, expected \[N, C, H, W\]"):
        raster.resize_mask(torch.zeros(5, 7), 2, 2)
    with pytest.raises(RegionError, match=r"got \[1, 1, 5, 7\] to 0 x 2"):
        raster.resize_mask(torch.zeros(1, 1, 5, 7), 0, 2)


def test_feather_is_a_gaussian_of_half_the_radius():
    mask = torch.zeros(1, 1, 33, 33, dtype=torch.float64)
    mask[..., 16, 16] = 1
    soft = raster.feather(mask, 4.0)[0, 0]
    offsets = torch.arange(33) - 16.0
    assert soft.sum().item() == pytest.approx(1)
    assert (soft.sum(0) * offsets**2).sum().item() == pytest.approx(4, rel=0.03)
    torch.testing.assert_close(soft, soft.t())


def test_feather_keeps_a_mask_whole_at_the_border():
    mask = torch.zeros(1, 1, 9, 9)
    mask[..., :4] = 1
    soft = raster.feather(mask, 2.0)
    assert soft[..., 0].min() == pytest.approx(1)
    assert 0.5 < soft[0, 0, 4, 3] < 1
    assert raster.feather(mask, 0) is mask


@pytest.mark.parametrize("size", [(60, 48), (48, 60), (7, 90)])
def test_a_wide_feather_is_the_same_gaussian(size):
    mask = noise(2, 1, *size)
    reach, offsets = 24, torch.arange(-24, 25, dtype=torch.float64)
    weights = torch.exp(-2 * (offsets / 16) ** 2)
    weights = weights / weights.sum()
    padded = F.pad(mask, (reach,) * 4, mode="replicate")
    blurred = F.conv2d(F.conv2d(padded, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
    torch.testing.assert_close(raster.feather(mask, 16.0), blurred)


@pytest.mark.parametrize("radius", [5e-324, 1e-300, 1e-40, 1e-9, 0.05, 0.1, 0.1001])
def test_hardly_any_feather_changes_nothing(radius):
    mask = torch.rand(1, 1, 9, 9)
    torch.testing.assert_close(raster.feather(mask, radius), mask)


@pytest.mark.parametrize("radius", [-1, math.nan, math.inf, 513, 1e308])
def test_feather_refuses_other_radii(radius):
    with pytest.raises(
        RegionError, match="feather: got .*, expected a radius from 0 to 512 pixels"
    ):
        raster.feather(torch.ones(1, 1, 3, 3), radius)


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
def test_warping_by_nothing_changes_nothing(kernel):
    image = noise(1, 3, 5, 7)
    torch.testing.assert_close(raster.warp(image, (5, 7), (1, 1), (0, 0), kernel), image)


def test_warping_by_whole_pixels_moves_them_and_repeats_the_border():
    image = noise(1, 3, 5, 7)
    moved = raster.warp(image, (5, 7), (1, 1), (2, -1))
    torch.testing.assert_close(moved[..., :4, 2:], image[..., 1:, :5])
    flat = torch.full((1, 1, 2, 2), 0.3)
    torch.testing.assert_close(
        raster.warp(flat, (9, 9), (0.3, 2.0), (5, -4)), torch.full((1, 1, 9, 9), 0.3)
    )


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_a_border_of_zero_ends_a_mask(kernel, scale):
    whole = torch.ones(1, 1, 40, 40)
    size, length, edge = 140, round(40 * scale), math.ceil(2 * scale)
    moved = raster.warp(whole, (size, size), (scale, scale), (10, 10), kernel, "zero")[0, 0, 12]
    assert moved.sum().item() == pytest.approx(40 * scale, rel=0.02)
    assert moved[: 10 - edge].max() == moved[10 + length + edge :].max() == 0
    assert moved[10 + edge : 10 + length - edge].min().item() == pytest.approx(1)


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
def test_a_ramp_stays_a_ramp(kernel):
    ramp = torch.arange(40, dtype=torch.float64).add(0.5).expand(1, 1, 40, 40)
    moved = raster.warp(ramp, (40, 40), (1.5, 1), (-11.25, 0), kernel)[0, 0, 20]
    expected = (torch.arange(40, dtype=torch.float64) + 0.5 + 11.25) / 1.5
    # Cubic filters reproduce ramps exactly, and so does linear interpolation.
    torch.testing.assert_close(moved, expected)


@pytest.mark.parametrize("kernel", ["cubic", "linear"])
def test_shrinking_does_not_alias(kernel):
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::2] = 1
    shrunk = raster.warp(stripes, (13, 13), (0.2, 0.2), (0, 0), kernel)
    assert (shrunk - 0.5)[..., 2:-2].abs().max() < 0.05
    assert raster.warp(stripes, (64, 64), (1, 1), (0, 0), kernel).std() > 0.4


def test_the_result_stays_in_the_range_of_the_input():
    edge = torch.zeros(1, 1, 8, 8)
    edge[..., 4:] = 1
    large = raster.warp(edge, (40, 40), (5, 5), (0, 0))
    assert large.min() == 0
    assert large.max() == 1


def test_warping_can_be_differentiated():
    image = noise(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: raster.warp(x, (3, 4), (0.7, 1.2), (0.3, -0.4)), image
    )
