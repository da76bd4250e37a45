"""How long a fit would take."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

from regen.rewriting.duration import STEP, seconds_of_fit
from regen.rewriting.task import Task


def with_fit(task: Task, **changes: object) -> Task:
    fit = replace(task.settings.fit, **changes)  # type: ignore[arg-type]
    return replace(task, settings=replace(task.settings, fit=fit))


@pytest.mark.parametrize("changes", [{}, {"preserve": 0}, {"crops": False}, {"recall": "value"}])
def test_a_pass_says_how_long_each_step_takes(
    task: Task, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    clock = itertools.accumulate(itertools.repeat(2.0))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    digest = task.generator.digest()
    given = with_fit(task, steps=10, lr=0.01, preserve_batch=4, **changes)
    found = seconds_of_fit(given.split, task.rule(), given.settings.fit)
    assert found == 10 * STEP * 2.0
    assert task.generator.digest() == digest


def test_a_fit_without_steps_is_not_estimated(task: Task) -> None:
    given = with_fit(task, solver="closed-form")
    assert seconds_of_fit(given.split, task.rule(), given.settings.fit) is None
