"""`regen.runs.generate`: what `tests/cli/test_generate.py` does not see."""

from __future__ import annotations

import pytest

from regen.errors import GeneratorError
from regen.runs.generate import GenerateSettings, load_rewrites


@pytest.mark.parametrize(
    ("seeds", "truncation", "problem"),
    [
        ((), 1.0, "^seeds: got none, expected at least one$"),
        ((1,), -0.5, "^truncation: got -0.5, expected 0 or more$"),
        ((1,), float("nan"), "^truncation: got nan, expected 0 or more$"),
    ],
)
def test_a_drawing_is_checked(seeds: tuple[int, ...], truncation: float, problem: str) -> None:
    with pytest.raises(GeneratorError, match=problem):
        GenerateSettings(seeds, truncation)


def test_no_rewrites_are_none() -> None:
    assert load_rewrites([]) is None
