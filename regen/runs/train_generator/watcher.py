"""What a generator's training shows while it runs: curves, sheets of samples, the time left.

Shapes: M training images; R their side.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor

from regen.files.atomic import ensure_folder
from regen.generators.trainer import ImageSampler, Report, TrainingPlan
from regen.images import as_shown, grid, save_image
from regen.runs.folder import events_of, remove_results
from regen.runs.logbook import Logbook, Progress, format_seconds

SNAPSHOTS = "snapshots"
_EARLIER = (  # what a training that was not resumed may have left
    events_of("train-generator"),
    f"{SNAPSHOTS}/real.png",
    f"{SNAPSHOTS}/[0-9]*.[0-9][0-9]kimg.png",
)
_COLUMNS, _ROWS = 6, 4


class TrainingWatcher:
    """Writes into a run folder, and shows the progress of a training on standard error.

    Nothing is written before training has started: until then settings may turn out not to fit the
    checkpoint that it should resume from.

    Args:
        folder: Run folder.
        plan: Of the training.
        images: What it is trained on, uint8 ``[M, 3, R, R]``; some are shown beside the samples.
        recorded: Content of settings.json.
        minutes: When the training ends at the latest, or None.
        resume: Whether it is resumed. If not, what an earlier one left is removed.

    Attributes:
        scalars: The last report's.
    """

    def __init__(
        self,
        folder: Path,
        plan: TrainingPlan,
        images: Tensor,
        recorded: dict[str, object],
        minutes: float | None,
        *,
        resume: bool = False,
    ) -> None:
        self.folder, self.plan, self.images = folder, plan, images
        self.recorded, self.resume = recorded, resume
        self.end = None if minutes is None else time.monotonic() + 60 * minutes
        self.scalars: dict[str, float] = {}
        self._book: Logbook | None = None
        self._resumed_at = 0
        self._progress: Progress | None = None

    @property
    def book(self) -> Logbook:
        """The logbook, made on first use."""
        if self._book is None:
            if not self.resume:
                remove_results(self.folder, _EARLIER)
            self._book = Logbook(self.folder, "train-generator", done=self._resumed_at)
            self._book.settings(self.recorded)
        return self._book

    def step(self, done: int) -> None:
        """Count a step."""
        if self._progress is None:
            self._resumed_at = done - 1
            self._progress = Progress(self.plan.steps, "training the generator", done=done - 1)
        self._progress.advance(done - self._progress.done, self._note())

    def _note(self) -> str:
        words = []
        if self.end is not None:
            left = format_seconds(max(0.0, self.end - time.monotonic()))
            words.append(f"at most {left} left")
        for name, short in (("generator", "G"), ("discriminator", "D")):
            if name in self.scalars:
                words.append(f"{short} {self.scalars[name]:.3f}")
        return ", ".join(words)

    def report(self, report: Report) -> None:
        """Log what was measured."""
        self.scalars = report.scalars
        self.book.scalars(report.scalars, report.step)

    def snapshot(self, done: int, sample: ImageSampler) -> None:
        """Show the same samples as every time; the first time, real images as well."""
        book, count = self.book, _COLUMNS * _ROWS
        folder = ensure_folder(self.folder / SNAPSHOTS)
        if not (folder / "real.png").exists():
            real = self.images[:count].float() / 127.5 - 1
            save_image(folder / "real.png", grid(real, _COLUMNS))
        rows = (sample(range(i, i + _COLUMNS)) for i in range(0, count, _COLUMNS))
        samples = torch.cat([as_shown(row) for row in rows])
        kimg = done * self.plan.batch_images / 1000
        save_image(folder / f"{kimg:09.2f}kimg.png", grid(samples, _COLUMNS))
        book.images("samples", samples[:_COLUMNS], done)

    def close(self) -> None:
        """Write out what is pending."""
        if self._progress is not None:
            self._progress.close()
        if self._book is not None:
            self._book.close()
