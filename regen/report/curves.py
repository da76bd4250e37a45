"""Curves as inline SVG, coloured by the page they stand in."""

from __future__ import annotations

import math
from collections.abc import Sequence

from regen.report.text import escape

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 10, 10, 24  # margins around the plot
LOG_FROM = 20  # a curve spanning more than this factor gets a logarithmic axis
MOST_POINTS = 400


def curve_svg(points: Sequence[tuple[int, float]], title: str) -> str:
    """Draw one curve.

    Args:
        points: (step, value) pairs, at least one, by rising step. Values that are not finite are
            left out.
        title: Read aloud by screen readers.

    Returns:
        An `<svg>` element; the axis is logarithmic where values are positive and span more than a
        factor of 20.
    """
    points = _thinned([(x, y) for x, y in points if math.isfinite(y)])
    if not points:
        return f"<p>No finite value of {escape(title)}.</p>"
    values = [y for _, y in points]
    log = min(values) > 0 and max(values) > LOG_FROM * min(values)
    ticks = _log_ticks(min(values), max(values)) if log else _ticks(min(values), max(values))
    steps = points[0][0], max(points[-1][0], points[0][0] + 1)
    span = (min(*ticks, *values), max(*ticks, *values))
    dots = " ".join(f"{_x(x, *steps):.1f},{_y(y, *span, log):.1f}" for x, y in points)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(_gridline(_y(tick, *span, log), f"{tick:.3g}") for tick in ticks)
        + _step_labels(*steps)
        + f'<polyline class="curve" points="{dots}"/></svg>'
    )


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most MOST_POINTS of the points, the last one always among them."""
    stride = -(-len(points) // MOST_POINTS)
    return points[:: max(stride, 1)] + (points[-1:] if stride > 1 else [])


def _x(step: float, first: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (step - first) / (last - first)


def _y(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / (high - low)


def _ticks(low: float, high: float) -> list[float]:
    """Two to six round numbers around [low, high]."""
    if high <= low:
        low, high = low - abs(low) / 2 - 1e-9, high + abs(high) / 2 + 1e-9
    unit = 10 ** math.floor(math.log10(high - low))
    step = next(unit * m for m in (0.2, 0.5, 1, 2, 5) if (high - low) / (unit * m) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """The powers of ten around [low, high]."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**i for i in range(first, last + 1)]


def _gridline(y: float, label: str) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _step_labels(first: int, last: int) -> str:
    y = HEIGHT - 6
    return (
        f'<text x="{LEFT}" y="{y}">{first}</text>'
        f'<text x="{WIDTH - RIGHT}" y="{y}" text-anchor="end">step {last}</text>'
    )
