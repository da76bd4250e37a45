"""What is shown while value layers are tried: how long it takes, which is tried, and how far."""

from __future__ import annotations

from collections.abc import Callable

from regen.rewriting.layer_trials import TrialWatcher
from regen.runs.progress import Progress
from regen.runs.timing import roughly


class ShownTrials(TrialWatcher):
    """Says about how long the trials take, and shows a bar for the steps of each.

    Args:
        log: Called with what is said.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log, self._label = log, ""
        self._progress: Progress | None = None

    def __enter__(self) -> ShownTrials:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def begin(self, count: int, seconds: float | None) -> None:
        """Say what will be done, and about how long it takes."""
        about = "" if seconds is None else f", about {roughly(seconds)} here by a rough estimate"
        what = "Trying value layers and lengths of the memory by short fits"
        self._log(f"{what}, {count} in all{about}")

    def trial(self, number: int, count: int, value_layer: int, memory_layers: int) -> None:
        """Close the bar of the trial before."""
        self.__exit__()
        cut = f"value layer {value_layer}, memory of {memory_layers}"
        self._label = f"trying {number} of {count} ({cut})"

    def step(self, done: int, steps: int) -> None:
        """Show how many steps of the trial are done."""
        if self._progress is None:
            self._progress = Progress(steps, self._label)
        self._progress.advance(done - self._progress.done)
