"""Confidence of a mean: bootstrap intervals (Efron 1979), by percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from regen.errors import MetricError


class Interval(NamedTuple):
    """A mean with the bounds of its interval."""

    mean: float
    low: float
    high: float


def mean_interval(
    values: Sequence[float] | Tensor, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Mean of independent values, and its percentile bootstrap interval.

    Args:
        values: N numbers, one for each image or seed, N at least 1. One alone has no spread:
            its interval is the value.
        level: Share of resampled means inside the interval, between 0 and 1.
        resamples: How many times N values are resampled with replacement, at least 1.
        seed: Of the resampling; equal seeds and N pick the same members.

    Returns:
        ``(mean, low, high)``, a tuple of floats.

    Raises:
        MetricError: If there are no values, one is not finite, or a setting is out of range.

    Example:
        >>> mean_interval([1.0, 1.0, 1.0])
        Interval(mean=1.0, low=1.0, high=1.0)
    """
    numbers = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, float)
    if numbers.ndim != 1 or len(numbers) == 0 or not np.isfinite(numbers).all():
        raise MetricError(
            "bootstrap: values",
            got=f"an array of shape {list(numbers.shape)}",
            expected="at least one number, all of them finite",
        )
    if not 0 < level < 1:
        raise MetricError("bootstrap: level", got=level, expected="between 0 and 1")
    if resamples < 1:
        raise MetricError("bootstrap: resamples", got=resamples, expected="1 or more")
    random = np.random.default_rng(seed)
    means = [random.choice(numbers, len(numbers)).mean() for _ in range(resamples)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(numbers.mean()), float(low), float(high))
