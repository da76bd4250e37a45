"""Images on another scale than [-1, 1] are refused by every metric that looks at pixels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from regen.errors import MetricError
from regen.metrics import (
    backbone_features,
    load_lpips,
    masked_distance,
    masked_l1,
    masked_lpips,
    psnr,
    ssim,
)
from regen.metrics._check import TOLERANCE

Metric = Callable[[Tensor, Tensor], object]
MASK = torch.ones(1, 1, 32, 32)
METRICS: dict[str, Metric] = {
    "PSNR": psnr,
    "SSIM": ssim,
    "distance in a region": lambda a, b: masked_distance(a, b, MASK, None),
    "distance in a region, each": lambda a, b: masked_l1(a, b, MASK),
    "distance in a region, perceived": lambda a, b: masked_lpips(a, b, MASK, load_lpips()),
    "LPIPS": lambda a, b: load_lpips()(a, b),
    "LPIPS backbone": lambda a, b: backbone_features(b, load_lpips()),
}
GOOD = torch.zeros(2, 3, 32, 32)


@pytest.fixture(params=list(METRICS))
def metric(request: pytest.FixtureRequest) -> tuple[str, Metric]:
    """The name that a metric has in messages, and the metric."""
    name: str = request.param
    return name.split(",")[0], METRICS[name]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_integers_are_refused(dtype: torch.dtype, metric: tuple[str, Metric]) -> None:
    name, measure = metric
    bad = GOOD.to(dtype)
    with pytest.raises(MetricError) as raised:
        measure(bad, bad)
    assert str(raised.value) == (
        f"{name}: the images are not floating-point numbers: got {str(dtype)[6:]}, expected "
        "float32 in [-1, 1]; divide pixels of 0 to 255 by 127.5 and subtract 1"
    )


@pytest.mark.parametrize(
    ("pixel", "got"),
    [
        (255.0, "values from 0 to 255"),
        (-1.01, "values from -1.01 to 0"),
        (float("inf"), "values from 0 to inf"),
        (float("nan"), "values from nan to nan"),
    ],
)
def test_one_pixel_out_of_range_is_refused(
    pixel: float, got: str, metric: tuple[str, Metric]
) -> None:
    name, measure = metric
    bad = GOOD.clone()
    bad[1, 2, 5, 7] = pixel
    with pytest.raises(MetricError) as raised:
        measure(GOOD, bad)
    assert str(raised.value) == (
        f"{name}: the images have pixels outside of [-1, 1]: got {got}, expected -1 to 1, give or "
        "take 0.001; scale them, or clamp what a generator made"
    )


def test_rounding_is_no_mistake(metric: tuple[str, Metric]) -> None:
    _, measure = metric
    edge = torch.ones(2, 3, 32, 32)
    edge[:, :, ::2] = -1
    measure(edge, edge * (1 + 0.9 * TOLERANCE))


def test_the_first_batch_is_checked_too() -> None:
    with pytest.raises(MetricError, match="PSNR: the images have pixels outside"):
        psnr(GOOD + 2, GOOD)
