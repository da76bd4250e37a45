"""Precision and recall of sets of points whose balls can be found by hand."""

from __future__ import annotations

import sys

import pytest
import torch

from regen.errors import MetricError
from regen.metrics import precision_recall


def line(*points: float) -> torch.Tensor:
    return torch.tensor(points)[:, None]


def test_balls_on_a_line() -> None:
    real = line(0, 1, 2, 10)  # with k = 1 their radii are 1, 1, 1 and 8
    fake = line(-0.5, 2.5, 4, -3)  # and these have 2.5, 1.5, 1.5 and 2.5
    # -0.5 lies in the ball of 0, 2.5 in that of 2 and 4 in that of 10; -3 in none.
    # 0 and 1 lie in the ball of -0.5, 2 in that of 2.5; 10 in none.
    assert precision_recall(real, fake, k=1) == (0.75, 0.75)


def test_a_narrow_fake_is_precise_but_recalls_little() -> None:
    real = torch.randn(400, 2)
    precision, recall = precision_recall(real, 0.1 * torch.randn(400, 2))
    assert precision > 0.95
    assert recall < 0.2
    precision, recall = precision_recall(0.1 * torch.randn(400, 2), real)
    assert precision < 0.2
    assert recall > 0.95


def test_equal_sets_have_both() -> None:
    a = torch.randn(20, 3)
    assert precision_recall(a, a.flip(0)) == (1.0, 1.0)


def test_sets_far_apart_have_neither() -> None:
    a = torch.randn(20, 3)
    assert precision_recall(a, a + 100) == (0.0, 0.0)


def test_more_rows_than_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = torch.randn(30, 2), torch.randn(25, 2) + 0.5
    whole = precision_recall(real, fake)
    module = sys.modules["regen.metrics.precision_recall"]  # the name in the package is a function
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 7)
    assert precision_recall(real, fake) == whole


def test_bad_input_is_refused() -> None:
    with pytest.raises(MetricError, match=r"got \[4, 2\] and \[4, 3\], expected \[N, D\]"):
        precision_recall(torch.zeros(4, 2), torch.zeros(4, 3))
    for k in (0, 4):
        with pytest.raises(MetricError, match=f"k: got {k}, expected 1 or more, and below 4"):
            precision_recall(torch.zeros(4, 2), torch.zeros(5, 2), k)
