"""Bootstrap intervals against the normal theory they must agree with, and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from regen.errors import MetricError
from regen.metrics import mean_interval


def test_the_interval_of_many_values_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    mean, low, high = mean_interval(values.tolist())
    half = 1.96 * values.std(ddof=1) / math.sqrt(400)
    assert mean == pytest.approx(values.mean())
    assert low == pytest.approx(mean - half, abs=0.1 * half)
    assert high == pytest.approx(mean + half, abs=0.1 * half)


def test_it_holds_the_true_mean_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2)
    samples = [draws.exponential(1.0, 64) for _ in range(200)]
    intervals = [mean_interval(values.tolist(), 0.8, 300) for values in samples]
    inside = sum(low <= 1.0 <= high for _, low, high in intervals)
    assert 0.72 <= inside / 200 <= 0.88


def test_a_wider_level_is_a_wider_interval() -> None:
    values = torch.randn(50)
    narrow, wide = (mean_interval(values, level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_it_is_repeatable_and_seeded() -> None:
    values = torch.randn(20)
    assert mean_interval(values) == mean_interval(values.tolist())
    assert mean_interval(values, seed=1) != mean_interval(values)


def test_one_value_is_its_own_interval() -> None:
    assert mean_interval([0.25]) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], torch.zeros(2, 2)])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(MetricError, match="expected at least one number, all of them finite"):
        mean_interval(values)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(MetricError, match="level: got 1.0, expected between 0 and 1"):
        mean_interval([1.0], level=1.0)
    with pytest.raises(MetricError, match="resamples: got 0, expected 1 or more"):
        mean_interval([1.0], resamples=0)
