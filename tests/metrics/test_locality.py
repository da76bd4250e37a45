"""Distances inside and outside of a region, on images whose distance is known."""

from __future__ import annotations

import pytest
import torch

from regen.errors import MetricError
from regen.metrics import (
    load_lpips,
    masked_distance,
    masked_l1,
    masked_lpips,
)


def left_half(n: int = 2, side: int = 32) -> torch.Tensor:
    mask = torch.zeros(n, 1, side, side)
    mask[..., : side // 2] = 1
    return mask


def test_l1_is_the_mean_over_the_masked_pixels() -> None:
    a = torch.zeros(2, 3, 32, 32)
    b = a + 0.5 * left_half()
    assert masked_distance(a, b, left_half(), None) == {"lpips": None, "l1": 0.5}
    assert masked_distance(a, b, torch.ones(1, 1, 32, 32), None)["l1"] == 0.25


def test_a_soft_mask_counts_pixels_in_part() -> None:
    a = torch.zeros(1, 3, 1, 2)
    b = torch.tensor([1.0, 0.0]).expand(1, 3, 1, 2)
    mask = torch.tensor([[[[0.5, 1.0]]]])
    assert masked_distance(a, b, mask, None)["l1"] == pytest.approx(0.5 / 1.5)


def test_lpips_of_a_region_sees_nothing_else() -> None:
    lpips, a = load_lpips(), torch.rand(2, 3, 32, 32)
    b = torch.where(left_half() > 0, a, torch.rand_like(a))
    assert masked_distance(a, b, left_half(), lpips) == {"lpips": 0.0, "l1": 0.0}
    outside = masked_distance(a, b, 1 - left_half(), lpips)
    assert outside["lpips"] is not None and outside["lpips"] > 0
    assert outside["lpips"] == pytest.approx(
        lpips(a * (1 - left_half()), b * (1 - left_half())).mean().item()
    )


def test_masked_lpips_ignores_what_is_masked() -> None:
    lpips, a, b = load_lpips(), torch.rand(2, 3, 32, 32) - 0.5, torch.rand(2, 3, 32, 32)
    found = masked_lpips(a, b, left_half(), lpips)
    assert found.shape == (2,) and found.min() > 0
    elsewhere = 1 - left_half()
    for other in (a + 0.5 * elsewhere, a - 0.5 * elsewhere):
        assert torch.equal(masked_lpips(other, b, left_half(), lpips), found)
    inside = masked_lpips(a + 0.5 * left_half(), b, left_half(), lpips)
    assert not torch.isclose(inside, found).any()
    mean = masked_distance(a, b, left_half(), lpips)["lpips"]
    assert mean == pytest.approx(found.mean().item())


def test_l1_of_each_image_is_over_its_own_region() -> None:
    mask = left_half()
    mask[1, :, 8:] = 0
    change = mask * torch.tensor([0.5, 0.25]).reshape(2, 1, 1, 1)
    found = masked_l1(torch.zeros(2, 3, 32, 32), change.expand(-1, 3, -1, -1), mask)
    assert found.tolist() == [0.5, 0.25]
    mask[1] = 0
    with pytest.raises(MetricError, match="region: the mask of image 1 is 0 everywhere"):
        masked_l1(torch.zeros(2, 3, 32, 32), torch.ones(2, 3, 32, 32), mask)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            torch.ones(2, 1, 8, 8),
            "region: does not fit the images: got [2, 1, 8, 8], expected [2, 1, 32, 32]",
        ),
        (
            2 * torch.ones(2, 1, 32, 32),
            "region: is not a mask: got values from 2 to 2, expected values in [0, 1]",
        ),
        (
            torch.zeros(2, 1, 32, 32),
            "region: nothing to measure, the mask is 0 everywhere; "
            "give a region that covers part of the images, but not all of every one",
        ),
    ],
)
def test_a_bad_mask_is_refused(mask: torch.Tensor, message: str) -> None:
    a = torch.zeros(2, 3, 32, 32)
    with pytest.raises(MetricError) as error:
        masked_distance(a, a, mask, None)
    assert str(error.value) == message


def test_images_of_different_sizes_are_refused() -> None:
    with pytest.raises(MetricError, match="distance in a region: the two batches"):
        masked_distance(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 9, 9), torch.ones(1), None)
