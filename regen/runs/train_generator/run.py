"""From a folder of images to a generator: check, train, save, measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import isfile  # unlike those of Path, they raise nothing
from pathlib import Path
from shlex import quote
from typing import Any

import torch
from torch.backends import cudnn

from regen.batches import at_once
from regen.errors import TrainingError
from regen.files.as_json import to_json
from regen.files.atomic import write_json
from regen.files.run_files import (
    CHECKPOINT_FILE,
    GENERATOR_FILE,
    MEASURES_FILE,
    NEIGHBOURS_FILE,
    SAMPLES_FILE,
)
from regen.generators.registry import family
from regen.generators.trainer import FinishedTraining, Listeners, Log, Training, TrainingPlan
from regen.images import as_shown, grid, save_image
from regen.images.collection import open_collection
from regen.images.folder import ImageFolder, read_folder
from regen.runs.folder import refuse_busy, remove_results, run_folder
from regen.runs.progress import Progress
from regen.runs.train_generator.measure import MeasureSettings, measure_samples
from regen.runs.train_generator.watcher import TrainingWatcher
from regen.training.checkpoint import (
    AnotherTrainingError,
    kept,
    missing_checkpoint,
    refuse_checkpoint,
)
from regen.training.distributed import own_device
from regen.training.environment import is_first

_SHOWN = 36  # samples in `SAMPLES_FILE`


@dataclass(frozen=True)
class TrainedGenerator:
    """The results of a finished training.

    Attributes:
        path: The generator's file.
        scalars: The losses of the last report; empty if nothing was left to do.
        measures: As in measures.json.
    """

    path: Path
    scalars: dict[str, float]
    measures: dict[str, Any]


def _quiet(_: str) -> None:
    pass


def train(
    image_folder: Path,
    folder: Path | str,
    plan: TrainingPlan,
    *,
    measured: MeasureSettings | None = None,
    enlarge: bool = False,
    minutes: float | None = None,
    licence: str = "",
    resume: bool = False,
    device: str = "cpu",
    log: Log = _quiet,
) -> TrainedGenerator | None:
    """Train a generator on a folder of images and save it as generator.safetensors.

    Args:
        image_folder: Folder of images, or a zip of them.
        folder: Run folder, made if it does not exist; gets settings.json, TensorBoard events,
            snapshots/, the checkpoint, the generator, samples.png, measures.json and
            neighbours.png. What a training without a checkpoint left of these is removed.
        plan: What to train, from a family's trainer.
        measured: What to measure at the end; by default 1000 samples.
        enlarge: Keep images that are too small.
        minutes: End after so many minutes of this run, as if the length were reached.
        licence: Of the result, for its header.
        resume: Resume from the folder's checkpoint.
        device: Where to train.
        log: Called with the findings about the images, and what was taken from another generator.

    Returns:
        The result; None in all but the first of several processes.

    Raises:
        RegenError: On bad input, if another run fills the folder, or if training fails.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint was written, saying where.
    """
    own = own_device(device)
    log = log if is_first() else _quiet
    folder = Path(folder)
    refuse_busy(folder)
    _check_folder(folder, image_folder, resume)
    training = plan.initialize(own, log)
    images = read_images(image_folder, plan.size, plan.sizes, enlarge=enlarge)
    log(images.report())
    for advice in plan.advice(len(images.images)):
        log(f"  {advice}")
    recorded = {"images": str(image_folder), **plan.settings()}
    with run_folder(folder) as folder:
        watcher = TrainingWatcher(folder, plan, images.images, recorded, minutes, resume=resume)
        finished = _trained(training, images, folder, plan, watcher, resume=resume, minutes=minutes)
        if not is_first():
            return None
        if resume and not watcher.scalars and finished.steps_done >= plan.steps:
            log(
                f"It was finished already, after {finished.steps_done} steps: give a larger "
                f"--length-kimg to continue, or another folder and --init-from {quote(str(folder))}"
            )
        if finished.steps_done < plan.steps:
            log(f"Time is up: {kept(folder, plan.steps)}")
        for note in finished.notes():
            log(note)
        kimg = finished.steps_done * plan.batch_images / 1000
        card = _card(image_folder, images, finished, kimg, licence)
        return _conclude(finished, images, folder, card, watcher.scalars, measured, own)


def _trained(
    training: Training,
    images: ImageFolder,
    folder: Path,
    plan: TrainingPlan,
    watcher: TrainingWatcher,
    *,
    resume: bool,
    minutes: float | None,
) -> FinishedTraining:
    listeners = Listeners(watcher.step, watcher.report, watcher.snapshot)
    try:
        with cudnn.flags(enabled=True, benchmark=False, allow_tf32=True):
            return training.train(
                images.images, folder=folder, resume=resume, minutes=minutes, listeners=listeners
            )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(kept(folder, plan.steps)) from interrupt
    except AnotherTrainingError as error:
        if error.name != "images":
            raise
        raise TrainingError(
            f"{error.problem} have changed",
            remedy="resume with those that it started with, or start from its result in another "
            f"folder: --init-from {quote(str(folder))}",
        ) from error
    finally:
        watcher.close()


def read_images(
    image_folder: Path, size: int, sizes: Sequence[int], *, enlarge: bool = False
) -> ImageFolder:
    """`read_folder` with a progress bar; `sizes` are all that could be trained on."""
    with open_collection(image_folder) as found:
        total = len(found.entries)
    with Progress(total, "reading images") as progress:
        return read_folder(
            image_folder, size, enlarge=enlarge, sizes=sizes, on_file=progress.advance
        )


def _card(
    image_folder: Path, images: ImageFolder, finished: FinishedTraining, kimg: float, licence: str
) -> dict[str, Any]:
    kind = "folder" if image_folder.is_dir() else "zip"
    source = f"trained by `regen train-generator` on {len(images.images)} images"
    card: dict[str, Any] = {
        "provenance": f"{source} of the {kind} {image_folder.resolve().name}",
        "images_digest": images.digest,
        "kimg": round(kimg, 3),
        **{name: to_json(value) for name, value in finished.card().items()},
    }
    return {**card, "licence": licence} if licence else card


def _conclude(
    finished: FinishedTraining,
    images: ImageFolder,
    folder: Path,
    card: dict[str, Any],
    scalars: dict[str, float],
    measured: MeasureSettings | None,
    device: torch.device,
) -> TrainedGenerator:
    """Save first, then measure: a metric that fails must not lose the trained generator."""
    remove_results(folder, [NEIGHBOURS_FILE, MEASURES_FILE, SAMPLES_FILE])  # of a shorter training
    path = folder / GENERATOR_FILE
    generator, discriminator = finished.generator, finished.discriminator
    save = family(generator.family).save
    save(path, generator, card=card, discriminator=discriminator)
    size = at_once(_SHOWN, images.images.shape[2:])
    parts = (range(_SHOWN)[i : i + size] for i in range(0, _SHOWN, size))
    samples = torch.cat([as_shown(finished.sample(part)) for part in parts])
    save_image(folder / SAMPLES_FILE, grid(samples, columns=6))
    try:
        measures = measure_samples(
            finished.sample, images.images, folder, measured or MeasureSettings(), device
        )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{path} is finished, but not measured") from interrupt
    if measures:
        write_json(folder / MEASURES_FILE, to_json(measures))
        card = {**card, "measures": to_json(measures)}
        save(path, generator, card=card, discriminator=discriminator)
    return TrainedGenerator(path, scalars, measures)


def _check_folder(folder: Path, image_folder: Path, resume: bool) -> None:
    """Check the run folder before anything is read or written."""
    if folder.resolve() == image_folder.resolve():
        raise TrainingError(
            f"run folder: {folder} is the folder of images",
            remedy="choose another one, or samples would be trained on",
        )
    if not resume:
        refuse_checkpoint(folder, GENERATOR_FILE)
    elif not isfile(folder / CHECKPOINT_FILE):
        raise missing_checkpoint(folder)
