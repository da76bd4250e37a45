"""Curves as SVG: where points land, which ticks stand beside them."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from regen.report.curves import curve_svg


def polyline(svg: str) -> list[tuple[float, float]]:
    (points,) = re.findall(r'points="([^"]*)"', svg)
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def labels(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter("text")]


def test_a_curve_runs_from_left_to_right_and_up_for_more() -> None:
    line = polyline(curve_svg([(0, 1.0), (5, 2.0), (10, 5.0)], "loss"))
    (x0, y0), (x1, y1), (x2, y2) = line
    assert x1 - x0 == pytest.approx(x2 - x1)
    assert y0 - y2 == pytest.approx(4 * (y0 - y1), abs=0.3)


def test_ticks_are_round_and_enclose_the_values() -> None:
    assert labels(curve_svg([(0, 0.62), (395, 0.03)], "loss")) == [
        "0.01",
        "0.1",
        "1",
        "0",
        "step 395",
    ]
    assert labels(curve_svg([(0, 0.35), (100, 0.13)], "loss"))[:-2] == ["0.1", "0.2", "0.3", "0.4"]


def test_a_wide_positive_curve_gets_a_logarithmic_axis() -> None:
    line = polyline(curve_svg([(0, 1.0), (1, 0.1), (2, 0.01)], "loss"))
    assert line[1][1] - line[0][1] == pytest.approx(line[2][1] - line[1][1], abs=0.2)


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0, 1e-12])
def test_a_flat_curve_and_a_single_point_can_be_drawn(value: float) -> None:
    for points in ([(0, value), (9, value)], [(4, value)]):
        line = polyline(curve_svg(points, "loss"))
        assert all(math.isfinite(x) and 0 <= y <= 190 for x, y in line)


def test_values_that_are_not_finite_are_left_out() -> None:
    assert len(polyline(curve_svg([(0, 1.0), (1, math.nan), (2, 2.0)], "loss"))) == 2
    assert curve_svg([(0, math.inf)], "a<b") == "<p>No finite value of a&lt;b.</p>"


def test_a_long_curve_is_thinned_and_keeps_its_end() -> None:
    line = polyline(curve_svg([(i, float(i % 7)) for i in range(10_001)], "loss"))
    assert len(line) <= 402 and line[-1][0] == 330.0


def test_the_title_is_escaped() -> None:
    svg = curve_svg([(0, 1.0)], 'a"<b')
    assert ElementTree.fromstring(svg).get("aria-label") == 'a"<b'
