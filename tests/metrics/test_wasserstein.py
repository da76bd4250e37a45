"""Wasserstein distances against shifted, scaled and permuted Gaussians."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from torch import Tensor

from regen.errors import MetricError
from regen.metrics import sliced_wasserstein, wasserstein_per_channel


def gaussian(n: int = 16, channels: int = 4, side: int = 8) -> Tensor:
    """Features whose channels are quantiles of the standard normal, each in an order of its own."""
    count = n * side * side
    ranks = (np.arange(count) + 0.5) / count
    quantiles = torch.tensor([NormalDist().inv_cdf(rank) for rank in ranks])
    rows = torch.stack([quantiles[torch.randperm(count)] for _ in range(channels)])
    return rows.reshape(channels, n, side, side).transpose(0, 1)


def test_a_shifted_gaussian_is_as_far_as_its_shift_summed_over_channels() -> None:
    shift = torch.tensor([0.5, -1.0, 0.0, 2.0])
    moved = gaussian() + shift.reshape(4, 1, 1)
    assert wasserstein_per_channel(gaussian(), moved) == pytest.approx(3.5, abs=1e-5)


def test_a_wider_gaussian_is_as_far_as_the_mean_of_its_magnitude() -> None:
    wanted = math.sqrt(2 / math.pi)  # |3 - 2| E|x|
    a, b = 2 * gaussian(channels=1), 3 * gaussian(channels=1)
    assert wasserstein_per_channel(a, b) == pytest.approx(wanted, rel=2e-3)


def test_positions_samples_and_their_number_do_not_count() -> None:
    a = torch.randn(6, 3, 4, 4)
    shuffled = a[torch.randperm(6)].flip(2)
    assert wasserstein_per_channel(a, shuffled) == 0
    assert wasserstein_per_channel(a, torch.cat([a, a])) == pytest.approx(0, abs=1e-9)
    assert wasserstein_per_channel(a, a.reshape(6, 3, 2, 8)) == 0


def test_a_shift_along_every_direction_is_its_mean_projection() -> None:
    a = torch.randn(8, 2, 16, 16)
    b = a + torch.tensor([3.0, 4.0]).reshape(2, 1, 1)
    # Every slice is the shift's length times |cos|, whose mean over the circle is 2 / pi.
    found = sliced_wasserstein(a, b, directions=1024)
    assert found == pytest.approx(5 * 2 / math.pi, rel=0.05)


def test_slices_see_what_channels_have_in_common() -> None:
    x = torch.randn(1, 1, 64, 64)
    same, opposite = torch.cat([x, x], dim=1), torch.cat([x, -x], dim=1)
    assert wasserstein_per_channel(same, opposite) < 0.1
    assert sliced_wasserstein(same, opposite) > 0.3
    assert sliced_wasserstein(same, same) == 0


def test_slices_are_repeatable_and_seeded() -> None:
    a, b = gaussian(4), 2 * gaussian(4)
    first = sliced_wasserstein(a, b, directions=4)
    torch.randn(10)
    assert sliced_wasserstein(a, b, directions=4) == first
    assert sliced_wasserstein(a, b, directions=4, seed=1) != first


def test_features_that_do_not_match_are_refused() -> None:
    with pytest.raises(MetricError) as error:
        wasserstein_per_channel(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4, 4))
    assert str(error.value) == (
        "Wasserstein distance: the two batches of features do not match: "
        "got [2, 3, 4, 4] and [2, 4, 4, 4], "
        "expected [N, C, h, w] and [M, C, h', w'] with one C, none of them empty"
    )
    with pytest.raises(MetricError, match="sliced Wasserstein distance: the two"):
        sliced_wasserstein(torch.zeros(0, 3, 4, 4), torch.zeros(1, 3, 4, 4))
    with pytest.raises(MetricError, match="directions: got 0, expected 1 or more"):
        sliced_wasserstein(gaussian(), gaussian(), directions=0)
