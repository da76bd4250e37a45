"""The first stage: train a backward projector for one value layer of one generator.

Samples are made on the fly. A run folder holds the checkpoint, from which training goes on as if
it had never stopped: on the CPU, bit for bit. Under ``torchrun`` the processes share each batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.files.atomic import ensure_folder
from regen.files.tensor_file import digest
from regen.generators.protocol import Generator, Source, Split
from regen.projector.network import BackwardProjector, ProjectorConfig
from regen.projector.sampling import Batch, Sampler, frozen
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.trainer import Trainer, step_size
from regen.training.checkpoint import Identity, identity, read_checkpoint, refuse_checkpoint
from regen.training.distributed import Workers, workers
from regen.training.interrupt import Interrupt, deferred_interrupt
from regen.training.steps import Means, Schedule, take_steps

_SHOWN = 6  # images in a report
_MAY_DIFFER = {"checkpoint_every_kimg", "report_every_kimg"}  # neither changes the result


@dataclass(frozen=True)
class Report:
    """How training goes.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        kimg: Thousands of images seen.
        scalars: Losses without their weights, means since the last report, and the step size.
        inputs: What B saw, ``[n, 3, R, R]`` in [-1, 1], in the last step.
        decoded: What its answers decode to, the same shape; None without a semi-cycle.
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
    config: ProjectorTrainingSettings,
    *,
    source: Source | None = None,
    folder: Path | str,
    architecture: ProjectorConfig | None = None,
    resume: bool = False,
    extra_images: Tensor | None = None,
    on_report: OnReport | None = None,
    on_step: Callable[[int], None] | None = None,
) -> BackwardProjector:
    """Train B for the value layer of `split`.

    Args:
        generator: A trained one, on the device to train on. It is left as it was.
        split: The same generator, cut.
        config: Settings.
        source: Its samples; by default those it needs no images for.
        folder: Run folder, made if there is none; the checkpoint goes there.
        architecture: Of B; by default `ProjectorConfig.for_split`.
        resume: Go on from the folder's checkpoint, which must have been begun with equal settings.
        extra_images: Images ``[M, 3, R, R]`` in [-1, 1] to paste pieces of.
        on_report: Called in the first process every `report_every_kimg`.
        on_step: Called in the first process after every step, with the number of steps done.

    Returns:
        The moving average of B, in eval mode, computing in float32; equal in all processes.

    Raises:
        ProjectorError: If settings do not fit, or a loss is no longer finite.
        TrainingError: If a checkpoint cannot be resumed or would be overwritten.
        StoreError: If the folder cannot be written to.
        KeyboardInterrupt: On Ctrl-C, after the step in progress and a checkpoint; at once, and
            without a new checkpoint, on a second one.
    """
    folder = ensure_folder(folder)
    source = source or generator.source()
    architecture = architecture or ProjectorConfig.for_split(split, generator)
    dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
    with workers() as group, frozen(generator, dtype), deferred_interrupt() as interrupt:
        who = identity(
            config,
            _MAY_DIFFER,
            base=generator.digest(),
            value_layer=split.value_layer,
            architecture=asdict(architecture),
            extra_images=None if extra_images is None else digest({"images": extra_images}),
            samples=_names_digest(source),
            processes=group.count,
        )
        trainer = _trainer(generator, split, source, config, architecture, group, extra_images)
        if resume:
            trainer.load(read_checkpoint(folder, who))
        else:
            refuse_checkpoint(folder)
            trainer.measure_values()
        _Loop(trainer, folder, who, interrupt, on_report, on_step).run()
        return trainer.average


def _trainer(
    generator: Generator,
    split: Split,
    source: Source,
    config: ProjectorTrainingSettings,
    architecture: ProjectorConfig,
    group: Workers,
    extra_images: Tensor | None,
) -> Trainer:
    """The trainer of this process, whose samples differ from those of the others."""
    sampler = Sampler(
        generator,
        split,
        source,
        config,
        count=_share_of(config.batch, group),
        seed=config.seed * group.count + group.rank,
        extra=extra_images,
    )
    return Trainer(config, architecture, sampler, group, generator.device)


def _names_digest(source: Source) -> str | None:
    """What tells the samples of a source with an end from those of another one."""
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

    def run(self) -> None:
        """Train to the end, or until Ctrl-C, and leave a checkpoint either way."""
        config = self.trainer.config
        take_steps(
            self.trainer,
            self._step,
            Schedule(config.steps, config.steps_of(config.checkpoint_every_kimg)),
            folder=self.folder,
            who=self.who,
            interrupt=self.interrupt,
        )

    def _step(self) -> None:
        figures, batch, decoded = self.trainer.step()
        self._means.add(figures)
        done, config = self.trainer.done, self.trainer.config
        if self.on_step is not None:
            self.on_step(done)
        if done % config.steps_of(config.report_every_kimg) == 0 or done == config.steps:
            self._report(batch, decoded)

    def _report(self, batch: Batch, decoded: Tensor | None) -> None:
        done, config = self.trainer.done, self.trainer.config
        scalars = {**self._means.take(), "lr": step_size(config, done - 1)}
        if self.on_report is not None:
            self.on_report(
                Report(
                    step=done,
                    steps=config.steps,
                    kimg=done * config.batch / 1000,
                    scalars=scalars,
                    inputs=batch.image[:_SHOWN],
                    decoded=None if decoded is None else decoded[:_SHOWN],
                )
            )
