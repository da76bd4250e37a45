"""Seconds of stages by a clock of our own, and the most memory."""

from __future__ import annotations

import itertools
import sys
from types import SimpleNamespace

import pytest

from regen.runs import timing
from regen.runs.timing import Stopwatch, format_seconds, peak_memory_mb


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes between any two looks at the clock."""
    seconds = itertools.count()
    stand_in = SimpleNamespace(perf_counter=lambda: float(next(seconds)))
    monkeypatch.setattr(timing, "time", stand_in)


def test_a_stage_counts_as_often_as_it_is_entered() -> None:
    watch = Stopwatch()
    for name in ("fit", "report", "fit"):
        with watch.stage(name):
            pass
    assert watch.seconds() == {"fit": 2.0, "report": 1.0, "total": 7.0}


def test_a_stage_that_fails_counts_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch.stage("fit"):
        raise ValueError("no")
    assert watch.seconds() == {"fit": 1.0, "total": 3.0}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say")
def test_memory_is_in_millions_of_bytes_and_never_falls() -> None:
    before = peak_memory_mb()
    held = bytearray(1 << 20)
    after = peak_memory_mb()
    assert before is not None and after is not None and held is not None
    assert 10 < before <= after < 1e6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.4, "59 s"), (59.6, "1 min 0 s"), (3599.4, "59 min 59 s"), (3600, "1 h 0 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
