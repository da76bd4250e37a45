"""How long the stages of a job took, durations in words, and the most memory a job used."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage, for metrics.json.

    Example:
        >>> watch = Stopwatch()
        >>> with watch.stage("fit"):
        ...     pass
        >>> sorted(watch.seconds())
        ['fit', 'total']
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time inside the block to stage `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._stages[name] = self._stages.get(name, 0.0) + time.perf_counter() - began

    def seconds(self) -> dict[str, float]:
        """Seconds of each stage and, under "total", since this stopwatch was made."""
        total = time.perf_counter() - self._start
        return {name: round(value, 3) for name, value in {**self._stages, "total": total}.items()}


def format_seconds(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> [format_seconds(s) for s in (0.4, 59, 200, 7500)]
        ['0 s', '59 s', '3 min 20 s', '2 h 5 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def roughly(seconds: float) -> str:
    """A duration in words, as precise as an estimate is.

    Example:
        >>> [roughly(seconds) for seconds in (1.2, 34, 118, 250)]
        ['5 s', '35 s', '2 minutes', '4 minutes']
    """
    rounded = 5 * max(1, round(seconds / 5))
    return f"{rounded} s" if rounded < 120 else f"{round(seconds / 60)} minutes"


def peak_memory_mb() -> float | None:
    """The most memory this process has held so far, in 10^6 bytes; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * unit / 1e6, 1)
