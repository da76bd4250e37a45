"""Work boxed by wall clock, over as many calls of a program as it takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from regen.files.atomic import write_json


class OutOfTimeError(Exception):
    """This call's minutes are over."""


@dataclass(frozen=True)
class Clock:
    """Wall clock over several calls.

    Attributes:
        folder: Holds clock.json, the seconds each stage has taken so far.
        minutes: For everything.
        shares: Of the minutes, by stage.
        call_ends: `time.monotonic()` at which this call should end.
    """

    folder: Path
    minutes: float
    shares: Mapping[str, float]
    call_ends: float

    def left(self, stage: str) -> float:
        """Minutes a stage still has, of its share."""
        return self.shares[stage] * self.minutes - self._spent().get(stage, 0.0) / 60

    def run(self, stage: str, work: Callable[[], None]) -> None:
        """Do a stage's work and note how long it took, however it ends."""
        if time.monotonic() >= self.call_ends:
            raise OutOfTimeError
        began = time.monotonic()
        try:
            work()
        finally:
            spent = self._spent()
            spent[stage] = spent.get(stage, 0.0) + time.monotonic() - began
            write_json(self.folder / "clock.json", spent)

    def in_call(self) -> float:
        """Minutes left to this call."""
        return (self.call_ends - time.monotonic()) / 60

    def _spent(self) -> dict[str, float]:
        path = self.folder / "clock.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}
