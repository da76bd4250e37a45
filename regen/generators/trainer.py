"""How a family trains a generator on images: what `regen.runs.train_generator` requires of it.

    FamilyTrainer --plan(size, options)--> TrainingPlan --initialize(device)--> Training
    Training --train(images, folder)--> FinishedTraining

The family decides on the networks, their training and its settings. The run reads the images, shows
progress, measures and saves.

Shapes: N samples; M training images; R their side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from regen.generators.family import StoredDiscriminator
    from regen.generators.protocol import Generator

Log = Callable[[str], None]


class ImageSampler(Protocol):
    """Samples of a generator that is being trained, by number."""

    def __call__(self, numbers: Sequence[int], *, vary_noise: bool = False) -> Tensor:
        """Images ``[N, 3, R, R]``, nominally in [-1, 1], on the generator's device.

        Args:
            numbers: Of the samples, from 0; equal numbers give equal images.
            vary_noise: Noise inside the network differs from sample to sample, as it does in
                training; otherwise it is the one that the generator's file holds.
        """
        ...


@dataclass(frozen=True)
class Report:
    """The progress of a training.

    Attributes:
        step: Steps done.
        kimg: Thousands of real images shown.
        scalars: Means since the last report: losses, and whatever else the family monitors.
    """

    step: int
    kimg: float
    scalars: dict[str, float]


@dataclass(frozen=True)
class Listeners:
    """Functions that are called while training runs, in the first process only.

    Attributes:
        on_step: After every step, with the number of steps done.
        on_report: At regular intervals, and at the end.
        on_snapshot: At regular intervals, before the first step and at the end, with the number
            of steps done and a sampler of the generator as it would be saved.
    """

    on_step: Callable[[int], None] | None = None
    on_report: Callable[[Report], None] | None = None
    on_snapshot: Callable[[int, ImageSampler], None] | None = None


class FamilyTrainer(Protocol):
    """Trains generators of one family."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides R of the images that it can train on."""
        ...

    def options(self, size: int) -> Mapping[str, object]:
        """All options of `plan` with their defaults for images of a size.

        Raises:
            TrainingError: If it cannot train on that size.
        """
        ...

    def plan(self, size: int, given: Mapping[str, object]) -> TrainingPlan:
        """Plan a training.

        Args:
            size: R.
            given: Values of options; the family chooses all others.

        Raises:
            TrainingError: If an option is unknown, or a value is out of range.
            RegenError: If a generator to initialize from cannot be opened.
        """
        ...


class TrainingPlan(Protocol):
    """A planned training. Apart from these properties its settings are opaque."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """As `FamilyTrainer.sizes`."""
        ...

    @property
    def size(self) -> int:
        """R."""
        ...

    @property
    def batch_images(self) -> int:
        """Real images in one step, of all processes together."""
        ...

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        ...

    def settings(self) -> dict[str, Any]:
        """All settings by name, for settings.json."""
        ...

    def advice(self, images: int) -> list[str]:
        """What its user should know before training on so many images, one sentence each."""
        ...

    def initialize(self, device: torch.device, log: Log) -> Training:
        """The networks before the first step.

        Args:
            device: Where to train.
            log: Called with what was taken from another generator, in words.

        Raises:
            RegenError: If the plan does not fit the device, or nothing of the other generator
                fits.
        """
        ...


class Training(Protocol):
    """Networks that are ready to be trained."""

    def train(
        self,
        images: Tensor,
        *,
        folder: Path,
        resume: bool,
        minutes: float | None,
        listeners: Listeners,
    ) -> FinishedTraining:
        """Train to the end, the time limit or Ctrl-C.

        Args:
            images: uint8 ``[M, 3, R, R]``, at least two.
            folder: Run folder; the checkpoint goes there, and is resumed from there.
            resume: Resume from the checkpoint, which must belong to the same plan and images.
            minutes: Stop after so many minutes of this call, as if the end were reached.
            listeners: Called on the way.

        Raises:
            TrainingError: If a checkpoint cannot be resumed or would be overwritten, or training
                has failed.
            StoreError: If the folder cannot be written to.
            KeyboardInterrupt: On Ctrl-C, after a checkpoint was written.
        """
        ...


class FinishedTraining(Protocol):
    """The outcome of a training."""

    @property
    def generator(self) -> Generator:
        """The result."""
        ...

    @property
    def discriminator(self) -> StoredDiscriminator | None:
        """The discriminator at the end, None for a family without one."""
        ...

    @property
    def steps_done(self) -> int:
        """Steps taken; fewer than planned if time was up."""
        ...

    @property
    def sample(self) -> ImageSampler:
        """Samples of the result."""
        ...

    def notes(self) -> list[str]:
        """What its user should know about the result, one sentence each."""
        ...

    def card(self) -> dict[str, Any]:
        """Header entries of the result's file: the settings, and what it was initialized from."""
        ...
