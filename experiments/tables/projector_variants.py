"""Rows of Table 1: ways of training a backward projector, alike in all but what they name.

The first three are the paper's: feature L1 alone, with the semi-cycle, and with the adversarial
loss as well. The others each change one thing of `composites_own_context`, which adds foreign
pastes to the third.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from regen.files.atomic import write_json
from regen.files.run_files import CHECKPOINT_FILE
from regen.generators.protocol import Generator
from regen.generators.split import Split
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import Report, train_projector
from regen.runs.progress import Progress

_PACE_FILE = "pace.json"


@dataclass(frozen=True)
class Table1Settings:
    """What all rows of Table 1 have in common.

    Attributes:
        kimg: Length of each training in thousands of images.
        batch: Images in one step.
        window: Side of the windows of samples that are trained on, in pixels; 0 for whole images.
        value_layer: Convolution whose output the projector predicts.
        widths: Of the projector, from fine to coarse.
        adversarial: Weight of the adversarial loss in the rows that have it.
        composites: Share of composites in the rows that have them.
        refine_steps: Of the row `refine`.
        samples: Held-out samples of the generator.
        first_seed: The first of their seeds.
        outside: Images of each out-of-domain set.
        distribution_samples: How many of the samples enter the Wasserstein distances.
        directions: Of the sliced Wasserstein distance.
        seed: Of every training.
        lpips: Backbone of LPIPS.
    """

    kimg: float = 12.0
    batch: int = 16
    window: int = 0
    value_layer: int = 8
    widths: tuple[int, ...] = (24, 48, 96, 128)
    adversarial: float = ProjectorTrainingSettings.adversarial
    composites: float = ProjectorTrainingSettings.composites
    refine_steps: int = 50
    samples: int = 48
    first_seed: int = 40_000
    outside: int = 24
    distribution_samples: int = 32
    directions: int = 64
    seed: int = 0
    lpips: str = "squeeze"

    def quick(self) -> Table1Settings:
        """A run that checks the machinery; its numbers are not meaningful."""
        return replace(
            self,
            kimg=0.032,
            batch=8,
            widths=(8, 16),
            refine_steps=2,
            samples=4,
            outside=4,
            distribution_samples=4,
            directions=8,
        )


@dataclass(frozen=True)
class Variant:
    """A row.

    Attributes:
        row: Its name.
        settings: How its projector is trained.
        extra: Whether pieces of extra images are pasted.
        refine_steps: Gradient steps that improve each projection, 0 for none. A refined row takes
            the projector of the row that is trained alike.
    """

    row: str
    settings: ProjectorTrainingSettings
    extra: bool = False
    refine_steps: int = 0


def variants(settings: Table1Settings) -> list[Variant]:
    """The rows, in order."""
    full = ProjectorTrainingSettings(
        kimg=settings.kimg,
        batch=settings.batch,
        window=settings.window,
        adversarial=settings.adversarial,
        composites=0.0,
        seed=settings.seed,
        warmup_kimg=min(ProjectorTrainingSettings.warmup_kimg, settings.kimg / 8),
        checkpoint_every_kimg=max(settings.kimg / 8, 0.05),
        report_every_kimg=max(settings.kimg / 16, 0.05),
    )
    cycle = replace(full, adversarial=0.0)
    pasted = replace(full, composites=settings.composites)
    return [
        Variant("feature_l1", replace(cycle, semi_cycle_l1=0.0, semi_cycle_ssim=0.0)),
        Variant("semi_cycle", cycle),
        Variant("semi_cycle_adversarial", full),
        Variant("composites_own_context", pasted),
        Variant("composites_mean_context", replace(pasted, context="mean", window=0)),
        Variant("composites_swap_context", replace(pasted, context="swap", window=0)),
        Variant("extra_images", pasted, extra=True),
        Variant("refine", pasted, refine_steps=settings.refine_steps),
    ]


def train_variant(
    generator: Generator,
    split: Split,
    variant: Variant,
    settings: Table1Settings,
    folder: Path,
    extra: Tensor | None,
) -> tuple[BackwardProjector, float]:
    """Train a row's projector, or resume its training where it was stopped.

    Args:
        generator: On the device to train on; its samples need no folder of images.
        split: The same, cut at the value layer.
        variant: The row.
        settings: Of the table.
        folder: Of the training; its checkpoint is there.
        extra: Images ``[M, 3, R, R]`` in [-1, 1] to paste pieces of, for rows that want them.

    Returns:
        The projector and the seconds its whole training takes: the time of a step as measured when
        it was last trained, times the steps.
    """
    pace = _Pace(folder)
    with Progress(variant.settings.steps, f"training {variant.row}") as bar:

        def step(done: int) -> None:
            pace.step(done)
            bar.advance(done - bar.done)

        projector = train_projector(
            generator,
            split,
            variant.settings,
            folder=folder,
            architecture=ProjectorConfig.for_split(split, generator, widths=settings.widths),
            resume=(folder / CHECKPOINT_FILE).is_file(),
            extra_images=extra if variant.extra else None,
            on_step=step,
            on_report=pace.report,
        )
    return projector, pace.seconds_per_step() * variant.settings.steps


class _Pace:
    """Seconds of a training step, kept on disk so that a resumed training knows them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / _PACE_FILE
        self.began = time.perf_counter()
        self.first: tuple[int, float] | None = None
        self.last: tuple[int, float] | None = None

    def step(self, done: int) -> None:
        """Note the time at which step `done` ended."""
        self.last = done, time.perf_counter()
        self.first = self.first or self.last  # the first step waits for statistics of the values

    def report(self, _: Report) -> None:
        """Write down the mean so far; called now and then, the last time after the last step."""
        assert self.first is not None and self.last is not None
        first = self.first if self.last[0] > self.first[0] else (self.last[0] - 1, self.began)
        steps, seconds = (b - a for a, b in zip(first, self.last, strict=True))
        write_json(self.file, {"seconds_per_step": seconds / steps, "steps": steps})

    def seconds_per_step(self) -> float:
        """The mean that was last written down, by this run or by the one it resumes."""
        return float(json.loads(self.file.read_text())["seconds_per_step"])
