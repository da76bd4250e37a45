"""The first stage, section 4.1 of the paper: train a backward projector for one value layer.

Samples are made on the fly. A run folder holds the checkpoint, from which training continues as
if it had never stopped: on the CPU, bit for bit. Under ``torchrun`` the processes share each batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from regen.errors import ProjectorError
from regen.files.atomic import ensure_folder
from regen.files.tensor_file import digest
from regen.generators.protocol import Generator, Source
from regen.generators.split import Split
from regen.precision import compute_dtype, name_of
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from regen.projector.sampling import Batch, Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.trainer import Trainer, step_size
from regen.projector.windows import WindowPlan
from regen.training.checkpoint import Identity, identity, read_checkpoint, refuse_checkpoint
from regen.training.distributed import Workers, workers
from regen.training.frozen import evaluating, frozen
from regen.training.interrupt import Interrupt, deferred_interrupt
from regen.training.steps import Means, Schedule, take_steps

_SHOWN = 6  # images in a report
_MAY_DIFFER = {"checkpoint_every_kimg", "report_every_kimg"}  # neither changes the result


@dataclass(frozen=True)
class Report:
    """The progress of a training.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        kimg: Thousands of images seen.
        scalars: Losses without their weights, means since the last report, and the step size.
        inputs: What B saw in the last step, ``[n, 3, H, W]`` in [-1, 1].
        decoded: What its predictions decode to, the same shape; None without a semi-cycle.
    """

    step: int
    steps: int
    kimg: float
    scalars: dict[str, float]
    inputs: Tensor
    decoded: Tensor | None


OnReport = Callable[[Report], None]


def train_projector(
    generator: Generator,
    split: Split,
    settings: ProjectorTrainingSettings,
    *,
    source: Source | None = None,
    folder: Path | str,
    architecture: ProjectorConfig | None = None,
    resume: bool = False,
    minutes: float | None = None,
    extra_images: Tensor | None = None,
    on_report: OnReport | None = None,
    on_step: Callable[[int], None] | None = None,
) -> BackwardProjector:
    """Train B for the value layer of `split` (section 4.1 of the paper).

    Args:
        generator: A trained one, on the device to train on. It is not modified.
        split: The same generator, cut; for windows by `split_for_windows`.
        settings: Length, step sizes, images and losses.
        source: Its samples; by default those it needs no images for.
        folder: Run folder, made if there is none; the checkpoint goes there.
        architecture: Of B; by default `ProjectorConfig.for_split`.
        resume: Continue from the folder's checkpoint, which must have equal settings.
        minutes: Stop after so many minutes of this call, as if the length were reached.
        extra_images: Images ``[M, 3, H, W]`` in [-1, 1] to paste pieces of.
        on_report: Called in the first process every `report_every_kimg`.
        on_step: Called in the first process after every step, with the number of steps done.

    Returns:
        The moving average of B, in eval mode, computing in float32; equal in all processes.

    Raises:
        ProjectorError: If settings do not fit, or a loss becomes infinite or NaN.
        TrainingError: If a checkpoint cannot be resumed or would be overwritten.
        StoreError: If the folder cannot be written to.
        KeyboardInterrupt: On Ctrl-C, after the step in progress and a checkpoint; at once, and
            without a new checkpoint, on a second one.
    """
    folder = ensure_folder(folder)
    source = source or generator.source()
    architecture = architecture or ProjectorConfig.for_split(split, generator)
    dtype = compute_dtype(settings.precision, generator.device)
    with (
        workers(generator.device) as group,
        frozen(generator),
        evaluating(generator),
        generator.computing_in(dtype),
        deferred_interrupt() as interrupt,
    ):
        count = _share_of(settings.batch, group)
        seed = settings.seed * group.count + group.rank  # each process has its own samples
        extra = extra_images
        plan = WindowPlan.of(settings.window, split, architecture) if settings.window else None
        sampler = Sampler(
            generator, split, source, settings, count=count, seed=seed, extra=extra, plan=plan
        )
        trainer = Trainer(settings, architecture, sampler, group, generator.device)
        who = _identity(trainer, architecture, extra_images)
        if resume:
            trainer.load(read_checkpoint(folder, who))
        else:
            refuse_checkpoint(folder)
            trainer.measure_values()
        _Loop(trainer, folder, who, interrupt, on_report, on_step).run(minutes)
        return trainer.average


def _identity(
    trainer: Trainer, architecture: ProjectorConfig, extra_images: Tensor | None
) -> Identity:
    """What must be equal for a checkpoint to be resumed."""
    sampler = trainer.sampler
    return identity(
        trainer.settings,
        _MAY_DIFFER | {"precision"},
        base=sampler.generator.digest(),
        value_layer=sampler.split.value_layer,
        architecture=asdict(architecture),
        precision=name_of(trainer.projector.precision),  # what "auto" means here
        extra_images=None if extra_images is None else digest({"images": extra_images}),
        samples=_names_digest(sampler.source),
        processes=trainer.workers.count,
    )


def _names_digest(source: Source) -> str | None:
    """A digest that distinguishes the samples of finite sources; None for an infinite one."""
    if source.count is None:
        return None
    labels = [sample.label for sample in source.samples(range(source.count))]
    return hashlib.sha256("\0".join(labels).encode()).hexdigest()


def _share_of(batch: int, group: Workers) -> int:
    if batch % group.count:
        raise ProjectorError(
            "batch", got=batch, expected=f"a multiple of the {group.count} processes"
        )
    return batch // group.count


class _Loop:
    """Steps and reports until training is over."""

    def __init__(
        self,
        trainer: Trainer,
        folder: Path,
        who: Identity,
        interrupt: Interrupt,
        on_report: OnReport | None,
        on_step: Callable[[int], None] | None,
    ) -> None:
        self.trainer, self.folder, self.who, self.interrupt = trainer, folder, who, interrupt
        first = trainer.workers.rank == 0
        self.on_report = on_report if first else None
        self.on_step = on_step if first else None
        self._means = Means()

    def run(self, minutes: float | None) -> None:
        """Train to the end or the deadline, or until Ctrl-C, and leave a checkpoint in any case."""
        settings = self.trainer.settings
        every = settings.steps_of(settings.checkpoint_every_kimg)
        take_steps(
            self.trainer,
            self._step,
            Schedule(settings.steps, every, minutes),
            folder=self.folder,
            who=self.who,
            interrupt=self.interrupt,
        )

    def _step(self) -> None:
        losses, batch, decoded = self.trainer.step()
        self._means.add(losses)
        done, settings = self.trainer.done, self.trainer.settings
        if self.on_step is not None:
            self.on_step(done)
        if done % settings.steps_of(settings.report_every_kimg) == 0 or done == settings.steps:
            self._report(batch, decoded)

    def _report(self, batch: Batch, decoded: Tensor | None) -> None:
        done, settings = self.trainer.done, self.trainer.settings
        scalars = {**self._means.take(), "lr": step_size(settings, done - 1)}
        if self.on_report is not None:
            self.on_report(
                Report(
                    step=done,
                    steps=settings.steps,
                    kimg=done * settings.batch / 1000,
                    scalars=scalars,
                    inputs=batch.image[:_SHOWN].clone(),  # the next step may be recorded there
                    decoded=None if decoded is None else decoded[:_SHOWN].clone(),
                )
            )
