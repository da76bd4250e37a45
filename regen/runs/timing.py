"""How long the stages of a job took, and the most memory it used."""

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
