"""`regen.images.shapes`: boxes, ellipses, polygons and drawn masks."""

import math

import numpy as np
import pytest
import torch

from regen.errors import RegionError
from regen.images.shapes import Box, Ellipse, Mask, Polygon

SHAPES = [
    Box(2.5, 1, 6, 4.25),
    Ellipse(5, 4, 3.5, 2),
    Polygon(((1, 1), (7, 2.5), (3, 6))),
]


AREAS = list(zip(SHAPES, [11.375, 7 * math.pi, 13.5], strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_coverage_lies_within_the_bounds(shape):
    mask = shape.coverage(8, 10)
    assert mask.shape == (1, 1, 8, 10)
    assert mask.dtype == torch.float32
    assert 0 <= mask.min() < mask.max() <= 1
    x0, y0, x1, y1 = shape.bounds
    rows, columns = mask[0, 0].nonzero().unbind(1)
    assert columns.min() >= math.floor(x0) and columns.max() < math.ceil(x1)
    assert rows.min() >= math.floor(y0) and rows.max() < math.ceil(y1)


@pytest.mark.parametrize(("shape", "area"), AREAS)
def test_coverage_sums_to_the_area(shape, area):
    assert shape.coverage(8, 10).sum().item() == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_scaling_scales_bounds_and_area(shape):
    x0, y0, x1, y1 = shape.bounds
    scaled = shape.scaled(2, 3)
    assert scaled.bounds == pytest.approx((2 * x0, 3 * y0, 2 * x1, 3 * y1))
    area = shape.coverage(8, 10).sum().item()
    assert scaled.coverage(24, 20).sum().item() == pytest.approx(6 * area, rel=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_shifting_by_whole_pixels_moves_the_mask(shape):
    moved = shape.shifted(3, 2).coverage(11, 14)
    torch.testing.assert_close(moved[..., 2:10, 3:13], shape.coverage(8, 10))


def test_an_ellipse_is_round():
    mask = Ellipse(8, 8, 6, 6).coverage(16, 16)[0, 0]
    torch.testing.assert_close(mask, mask.t(), atol=5e-3, rtol=0)
    torch.testing.assert_close(mask, mask.flip(0))
    assert mask[8, 8] == 1
    assert mask[1, 1] == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box(4, 1, 2, 3), r"box: got \[4, 1, 2, 3\], expected \[x0, y0, x1, y1\] with x0"),
        (lambda: Box(1, 3, 2, 2.5), r"box: got \[1, 3, 2, 2.5\], expected .* and y0 < y1"),
        (lambda: Box(1, 1, 1, 3), r"box has zero area: got \[1, 1, 1, 3\]"),
        (lambda: Box(0, 0, 1, math.inf), r"box: got \[0, 0, 1, inf\], expected finite numbers"),
        (lambda: Box(0, "0", 1, 2), r"box: got \[0, 0, 1, 2\], expected finite numbers"),
        (
            lambda: Ellipse(None, 1, 2, 2),
            r"ellipse: got \[None, 1, 2, 2\], expected finite numbers",
        ),
        (lambda: Ellipse(1, 1, -1, 2), r"ellipse: got .*, expected \[cx, cy, rx, ry\] with rx > 0"),
        (lambda: Ellipse(1, 1, 0, 2), r"ellipse has zero area"),
        (lambda: Polygon(((0, 0), (1, 1))), "polygon: got 2 points, expected at least 3"),
        (
            lambda: Polygon(((0, 0), (1, 1), (1, 0)) * 10_001),
            "polygon: got 30003 points, expected at most 30000; draw a mask instead",
        ),
        (
            lambda: Polygon(((0, 0), (1, 1), (5, 5), (2, 2))),
            r"polygon has zero area: got \[\[0, 0\], \[1, 1\], \[5, 5\], \[2, 2\]\]",
        ),
        (lambda: Polygon(((1, 1),) * 9), r"polygon has zero area: got .*\[1, 1\], \.\.\.\]"),
        (lambda: Polygon(((0, 0), (1, math.nan), (2, 2))), "expected finite numbers"),
        (
            lambda: Mask(torch.zeros(1, 1, 3, 4)),
            "got 4 x 3 pixels without any white, expected whi",
        ),
        (lambda: Mask(None), "mask: got NoneType, expected a tensor"),
        (
            lambda: Mask(torch.ones(1, 1, 3, 4).to_sparse()),
            "mask: got a tensor in the layout sparse",
        ),
        (lambda: Mask(torch.ones(3, 4)), r"mask: got torch.float32 \[3, 4\], expected floats"),
        (lambda: Mask(torch.ones(1, 1, 3, 4).int()), "mask: got torch.int32"),
        (lambda: Mask(torch.full((1, 1, 3, 4), 2.0)), "mask: expected numbers from 0 to 1 only"),
        (lambda: Mask(torch.full((1, 1, 1, 1), math.nan)), "expected numbers from 0 to 1 only"),
    ],
)
def test_what_is_not_a_shape_is_reported(make, message):
    with pytest.raises(RegionError, match=message):
        make()


def test_numbers_may_be_of_numpy_and_torch():
    box = Box(np.float32(1), torch.tensor(1), np.int64(3), 3)
    torch.testing.assert_close(box.coverage(4, 4), Box(1, 1, 3, 3).coverage(4, 4))


def test_a_crossing_polygon_has_an_area():
    assert Polygon(((0, 0), (4, 4), (4, 0), (0, 4))).coverage(4, 4).sum() == pytest.approx(8)


def test_a_drawn_mask_belongs_to_one_size():
    mask = torch.zeros(1, 1, 6, 8)
    mask[..., 2:4, 1:5] = 0.4
    mask[..., 0, 0] = 0.1
    shape = Mask(mask)
    assert shape.coverage(6, 8) is mask
    assert shape.bounds == (1, 2, 5, 4)
    with pytest.raises(RegionError, match="got 8 x 6 pixels, expected the size of its image, 9"):
        shape.coverage(6, 9)


def test_a_drawn_mask_is_scaled_and_shifted():
    mask = torch.zeros(1, 1, 6, 8)
    mask[..., 2:4, 1:5] = 1
    assert Mask(mask).scaled(2, 0.5).bounds == (2, 1, 10, 2)
    moved = Mask(mask).shifted(3, -2)
    assert moved.bounds == (4, 0, 8, 2)
    assert moved.mask.shape == mask.shape
    half = Mask(mask).shifted(0.5, 0).mask
    torch.testing.assert_close(half[0, 0, 2], torch.tensor([0, 0.5, 1, 1, 1, 0.5, 0, 0]))


def test_a_drawn_mask_falls_into_its_parts():
    mask = torch.zeros(1, 1, 12, 20)
    mask[..., 3:9, 2:8] = 1
    mask[..., 3:9, 12:18] = 0.8
    mask[..., 5, 8] = 0.2  # a faint edge of the left part
    mask[..., 11, 19] = 1  # a speck near the right part
    left, right = Mask(mask).parts()
    torch.testing.assert_close(left.mask + right.mask, mask)
    assert left.mask[..., 5, 8] > 0
    assert right.mask[..., 11, 19] == 1
    assert left.bounds == (2, 3, 8, 9)


def test_a_drawn_mask_of_one_part_stays_itself():
    shape = Mask(torch.eye(5)[None, None])  # touching corners connect
    assert shape.parts() == [shape]
