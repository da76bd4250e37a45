"""What every training shows while it runs: settings, curves and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from regen.runs.folder import events_of, remove_results
from regen.runs.logbook import Logbook
from regen.runs.progress import Progress


class TrainingLog:
    """Writes into a run folder, and shows the progress of a training on standard error.

    Nothing is written before training has started: until then settings may turn out not to fit the
    checkpoint that it should resume from.

    Args:
        folder: Run folder.
        command: The command whose run it is, "train-projector" for instance.
        steps: Of the whole training.
        recorded: Content of settings.json.
        earlier: What else than events an earlier training may have left, as for `remove_results`.
        resume: Whether the training is resumed. If not, what an earlier one left is removed.

    Attributes:
        scalars: The last report's.
    """

    def __init__(
        self,
        folder: Path,
        command: str,
        steps: int,
        recorded: Mapping[str, object],
        *,
        earlier: Sequence[str] = (),
        resume: bool = False,
    ) -> None:
        self.folder, self.command, self.steps = folder, command, steps
        self.recorded, self.resume = recorded, resume
        self.scalars: dict[str, float] = {}
        self._earlier = (events_of(command), *earlier)
        self._book: Logbook | None = None
        self._progress: Progress | None = None

    @property
    def book(self) -> Logbook:
        """The logbook, made on first use."""
        if self._book is None:
            self._book = self._opened(done=0)
        return self._book

    def count(self, done: int, note: str = "") -> None:
        """Show how many steps are done, with a note behind it."""
        if self._book is None:
            self._book = self._opened(done=done - 1)
        if self._progress is None:
            label = f"training the {self.command.removeprefix('train-')}"
            self._progress = Progress(self.steps, label, done=done - 1)
        self._progress.advance(done - self._progress.done, note)

    def _opened(self, *, done: int) -> Logbook:
        if not self.resume:
            remove_results(self.folder, self._earlier)
        book = Logbook(self.folder, self.command, done=done)
        book.settings(self.recorded)
        return book

    def add(self, scalars: Mapping[str, float], step: int) -> None:
        """Log the numbers of a report."""
        self.scalars = dict(scalars)
        self.book.scalars(scalars, step)

    def close(self) -> None:
        """Write out what is pending."""
        if self._progress is not None:
            self._progress.close()
        if self._book is not None:
            self._book.close()
