"""Steps, reports and snapshots, until training is over or interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.divergence import DivergenceMonitor
from regen.generators.stylegan2.training.trainer import Trainer
from regen.generators.trainer import ImageSampler, Listeners, Report
from regen.training.checkpoint import Identity
from regen.training.interrupt import Interrupt
from regen.training.steps import Means, Schedule, take_steps

_MEAN_OF, _MEAN_SEED = 10_000, 1  # styles whose mean truncation pulls towards


@torch.no_grad()
def set_mean_style(generator: StyleGAN2) -> None:
    """Store the mean of w over many z, which truncation pulls towards; equal on every call."""
    random = torch.Generator().manual_seed(_MEAN_SEED)
    z = torch.randn(_MEAN_OF, generator.config.z_dim, generator=random)
    parts = [generator.mapping(p).sum(dim=0) for p in torch.split(z.to(generator.device), 1000)]
    generator.mapping.w_mean.copy_(torch.stack(parts).sum(dim=0) / _MEAN_OF)


def sampler(generator: StyleGAN2) -> ImageSampler:
    """Samples of a generator, each by its seed, untruncated."""

    @torch.no_grad()
    def sample(numbers: Sequence[int], *, vary_noise: bool = False) -> Tensor:
        latents = generator.seed_latents(numbers, noise="random" if vary_noise else "const")
        images: Tensor = generator(latents)
        return images

    return sample


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
        self.monitor = DivergenceMonitor(trainer.settings)
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
        metrics = self.trainer.step()
        done, settings = self.trainer.done, self.trainer.settings
        self.monitor.update(metrics, done - 1)
        self._means.add(metrics)
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
            self.listeners.on_snapshot(self.trainer.done, sampler(self.trainer.average))
