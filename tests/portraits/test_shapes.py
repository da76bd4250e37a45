"""Distances, coverage and paint, at points where the result is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.portraits.shapes import (
    both,
    circle,
    cover,
    either,
    ellipse,
    over,
    rgb,
    segment,
    soft,
)


def points(*pairs: tuple[float, float]) -> tuple[Tensor, Tensor]:
    x, y = torch.tensor(pairs).T
    return x, y


def test_circle_is_exact() -> None:
    distance = circle(*points((3, 4), (0, 2), (6, 8)), 5.0)
    assert distance.tolist() == pytest.approx([0, -3, 5], abs=1e-5)


def test_ellipse_is_zero_on_its_outline_with_slope_one_across() -> None:
    assert ellipse(*points((7, 0), (0, -3)), 7.0, 3.0).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert ellipse(*points((7.1, 0), (0, -2.9)), 7.0, 3.0).tolist() == pytest.approx(
        [0.1, -0.1], abs=5e-3
    )


def test_segment_is_a_line_with_round_ends() -> None:
    distance = segment(*points((2, 3), (-3, 0), (8, 0), (1, 0)), (0.0, 0.0), (5.0, 0.0), 1.0)
    assert distance.tolist() == pytest.approx([2, 2, 2, -1], abs=2e-3)


def test_shapes_combine() -> None:
    a, b, c = torch.tensor([-1.0, 2.0]), torch.tensor([3.0, -4.0]), torch.tensor([0.0, 0.0])
    assert both(a, b, c).tolist() == [3, 2]
    assert either(a, b, c).tolist() == [-1, -4]


def test_coverage_is_half_on_the_outline_and_spans_one_pixel() -> None:
    distance = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0])
    assert cover(distance, 2.0).tolist() == [1, 1, 0.5, 0.25, 0, 0]


def test_a_soft_edge_is_smooth_over_its_width() -> None:
    distance = torch.tensor([-5.0, -2.0, 0.0, 2.0, 5.0], requires_grad=True)
    alpha = soft(distance, 4.0)
    assert alpha.tolist() == [1, 1, 0.5, 0, 0]
    (slope,) = torch.autograd.grad(alpha.sum(), distance)
    assert slope.tolist() == pytest.approx([0, 0, -0.375, 0, 0])


def test_paint_covers_as_much_as_it_is_opaque() -> None:
    image = torch.rand(1, 3, 1, 3)
    alpha = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)
    painted = over(image, rgb(image, 0.2, 0.4, 0.6), alpha)
    assert torch.equal(painted[..., 0], image[..., 0])
    assert painted[0, :, 0, 2].tolist() == pytest.approx([0.2, 0.4, 0.6])
    assert torch.allclose(painted[..., 1], (image[..., 1] + painted[..., 2]) / 2)
