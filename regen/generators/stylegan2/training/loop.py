"""Steps, curves and sheets, until training is over or interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.divergence import DivergenceMonitor
from regen.generators.stylegan2.training.trainer import Trainer
from regen.training.checkpoint import Identity
from regen.training.interrupt import Interrupt
from regen.training.steps import Means, Schedule, take_steps

_MEAN_OF, _MEAN_SEED = 10_000, 1  # styles whose mean truncation pulls towards


@dataclass(frozen=True)
class Report:
    """How training goes.

    Attributes:
        step: Steps done.
        kimg: Thousands of real images shown.
        scalars: Means of the losses since the last report.
    """

    step: int
    kimg: float
    scalars: dict[str, float]


@dataclass(frozen=True)
class Listeners:
    """Whom to tell; all are called in the first process only.

    Attributes:
        on_step: After every step, with the number of steps done.
        on_report: Every `report_every_kimg`, and at the end.
        on_snapshot: Every `snapshot_every_kimg`, before the first step and at the end, with the
            number of steps done and the moving average of the generator, its mean style set.
    """

    on_step: Callable[[int], None] | None = None
    on_report: Callable[[Report], None] | None = None
    on_snapshot: Callable[[int, StyleGAN2], None] | None = None


@torch.no_grad()
def set_mean_style(generator: StyleGAN2) -> None:
    """Store the mean of w over many z, which truncation pulls towards; equal on every call."""
    random = torch.Generator().manual_seed(_MEAN_SEED)
    z = torch.randn(_MEAN_OF, generator.config.z_dim, generator=random)
    parts = [generator.mapping(part).sum(dim=0) for part in z.to(generator.device).split(1000)]
    generator.mapping.w_mean.copy_(torch.stack(parts).sum(dim=0) / _MEAN_OF)


class Loop:
    """Steps, reports and snapshots until training is over."""

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        who: Identity,
        interrupt: Interrupt,
        listeners: Listeners,
        minutes: float | None,
    ) -> None:
        self.trainer, self.folder, self.who, self.interrupt = trainer, folder, who, interrupt
        self.listeners = listeners if trainer.workers.rank == 0 else Listeners()
        self.minutes = minutes
        self.watch = DivergenceMonitor(trainer.settings)
        self._means = Means()

    def run(self) -> None:
        """Train to the end, the deadline or Ctrl-C, and leave a checkpoint in any case."""
        trainer, settings = self.trainer, self.trainer.settings
        if trainer.done == 0:
            self._snapshot()
        every = settings.steps_of(settings.checkpoint_every_kimg)
        take_steps(
            trainer,
            self._step,
            Schedule(settings.steps, every, self.minutes),
            folder=self.folder,
            who=self.who,
            interrupt=self.interrupt,
        )
        self._report()
        self._snapshot()

    def _step(self) -> None:
        figures = self.trainer.step()
        done, settings = self.trainer.done, self.trainer.settings
        self.watch.see(figures, done - 1)
        self._means.add(figures)
        if self.listeners.on_step is not None:
            self.listeners.on_step(done)
        if done < settings.steps:  # the end has its own
            if done % settings.steps_of(settings.report_every_kimg) == 0:
                self._report()
            if done % settings.steps_of(settings.snapshot_every_kimg) == 0:
                self._snapshot()

    def _report(self) -> None:
        done, scalars = self.trainer.done, self._means.take()
        if self.listeners.on_report is not None and scalars:
            kimg = done * self.trainer.settings.batch_images / 1000
            self.listeners.on_report(Report(step=done, kimg=kimg, scalars=scalars))

    def _snapshot(self) -> None:
        if self.listeners.on_snapshot is not None:
            set_mean_style(self.trainer.average)
            self.listeners.on_snapshot(self.trainer.done, self.trainer.average)
