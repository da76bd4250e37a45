"""What a row of each table holds: the keys of the JSON files, and an interval beside each mean.

A number that is missing (no oracle, no LPIPS weights) is None, and the row's `unavailable` says
why. Metrics on single images come as means with 95 % bootstrap intervals over the images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from regen.metrics import mean_interval

Numbers = dict[str, float | None]
Intervals = dict[str, tuple[float, float]]

TABLE1_METRICS = (
    "lpips_in_domain",
    "lpips_out_of_domain",
    "psnr",
    "ssim",
    "wasserstein",
    "sliced_wasserstein",
    "seconds",
)
TABLE2_METRICS = (
    "locality_lpips",
    "inside_lpips_before",
    "inside_lpips_after",
    "inside_l1_before",
    "inside_l1_after",
    "outside_l1",
    "frechet",
    "seconds",
    "peak_memory_mb",
)


@dataclass
class Measured:
    """Numbers, the intervals of those that have one, and why others are missing.

    Attributes:
        numbers: Value by metric, None where it is missing.
        intervals: Low and high by metric.
        unavailable: Reason by metric.
    """

    numbers: Numbers = field(default_factory=dict)
    intervals: Intervals = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)

    def mean(self, metric: str, values: Tensor | None, reason: str | None = None) -> None:
        """Enter the mean of values ``[N]`` with its interval, or why there are none."""
        if values is None:
            self.missing(metric, reason or "not measured")
            return
        mean, low, high = mean_interval(values)
        self.number(metric, mean, (low, high))

    def number(
        self, metric: str, value: float | None, interval: tuple[float, float] | None = None
    ) -> None:
        """Enter a single number."""
        self.numbers[metric] = value
        if interval is not None:
            self.intervals[metric] = interval

    def missing(self, metric: str, reason: str) -> None:
        """Enter why a metric is missing."""
        self.numbers[metric] = None
        self.unavailable[metric] = reason

    def to_json(self) -> dict[str, Any]:
        """JSON values; the inverse of `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Measured:
        """What `to_json` gave."""
        intervals = {name: (low, high) for name, (low, high) in value["intervals"].items()}
        return cls(dict(value["numbers"]), intervals, dict(value["unavailable"]))


def json_row(
    keys: Mapping[str, str | float | None], measured: Measured, metrics: tuple[str, ...]
) -> dict[str, Any]:
    """A row of the JSON file: what it is about, every metric, the intervals, the reasons.

    Example:
        >>> row = json_row({"row": "a"}, Measured({"x": 1.0}, {"x": (0.5, 1.5)}), ("x", "y"))
        >>> row["x"], row["y"], row["intervals"]
        (1.0, None, {'x': [0.5, 1.5], 'y': None})
    """
    intervals = {
        name: list(measured.intervals[name]) if name in measured.intervals else None
        for name in metrics
    }
    numbers = {name: measured.numbers.get(name) for name in metrics}
    return {
        **keys,
        **numbers,
        "intervals": intervals,
        "unavailable": measured.unavailable or None,
    }
