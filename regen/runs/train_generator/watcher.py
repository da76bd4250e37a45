"""What a generator's training shows while it runs: curves, sheets of samples, the time left.

Shapes: M training images; R their side.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from regen.files.atomic import ensure_folder
from regen.generators.trainer import ImageSampler, Report, TrainingPlan
from regen.images import as_shown, grid, save_image
from regen.runs.timing import format_seconds
from regen.runs.training_log import TrainingLog

SNAPSHOTS = "snapshots"
_SHEETS = (
    f"{SNAPSHOTS}/real.png",
    f"{SNAPSHOTS}/[0-9]*.[0-9][0-9]kimg.png",
)
_COLUMNS, _ROWS = 6, 4


class TrainingWatcher(TrainingLog):
    """Writes curves and sheets of samples of a training, and shows its progress.

    Args:
        folder: Run folder.
        plan: Of the training.
        images: What it is trained on, uint8 ``[M, 3, R, R]``; some are shown beside the samples.
        recorded: Content of settings.json.
        minutes: When the training ends at the latest, or None.
        resume: Whether it is resumed. If not, what an earlier one left is removed.
    """

    def __init__(
        self,
        folder: Path,
        plan: TrainingPlan,
        images: Tensor,
        recorded: Mapping[str, object],
        minutes: float | None,
        *,
        resume: bool = False,
    ) -> None:
        super().__init__(
            folder, "train-generator", plan.steps, recorded, earlier=_SHEETS, resume=resume
        )
        self.plan, self.images = plan, images
        self.end = None if minutes is None else time.monotonic() + 60 * minutes

    def step(self, done: int) -> None:
        """Count a step."""
        self.count(done, self._note())

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
        self.add(report.scalars, report.step)

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
