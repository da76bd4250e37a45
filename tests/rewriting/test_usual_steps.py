"""`regen.rewriting.usual_steps`: what is settled where nobody chose."""

from __future__ import annotations

import pytest

from regen.rewriting.usual_steps import UsualSteps, usual_solver, usual_steps


@pytest.mark.parametrize(
    ("keyed", "area", "solver"),
    [(False, 0.5, "adam"), (True, 0.04, "keys"), (True, 0.041, "both")],
)
def test_a_large_pattern_starts_from_the_closed_form(keyed: bool, area: float, solver: str) -> None:
    assert usual_solver(keyed=keyed, area=area) == solver


@pytest.mark.parametrize(
    ("solver", "layers", "area", "steps", "preserve_weight", "preserve_batch"),
    [
        ("adam", 8, 0.9, 300, 1, 4),
        ("keys", 1, 0.0, 16, 1, 4),
        ("keys", 3, 0.04, 48, 3, 4),
        ("keys", 3, 0.08, 96, 1.5, 4),  # a large pattern has more to learn
        ("keys", 3, 0.9, 144, 1, 4),  # up to a point
        ("keys", 4, 0.02, 64, 6, 8),
        ("both", 3, 0.02, 40, 2, 4),
        ("both", 4, 0.02, 104, 8, 8),
        ("both", 4, 0.06, 156, 8 / 1.5, 5),
        ("both", 4, 0.9, 312, 8 / 3, 4),
        ("closed-form", 3, 0.02, 40, 2, 4),
    ],
)
def test_more_convolutions_and_larger_patterns_take_more_steps(
    solver: str,
    layers: int,
    area: float,
    steps: int,
    preserve_weight: float,
    preserve_batch: int,
) -> None:
    found = usual_steps(solver, layers, area)
    assert (found.steps, found.preserve_batch) == (steps, preserve_batch)
    assert found.preserve_weight == pytest.approx(preserve_weight)


def test_the_step_size_falls_with_the_root_of_the_length() -> None:
    assert [usual_steps("keys", layers, 0.9).lr for layers in (1, 4)] == [0.04, 0.02]
    assert [usual_steps("both", layers, 0.0).lr for layers in (1, 4)] == [0.03, 0.015]
    assert usual_steps("adam", 4, 0.0) == UsualSteps()
