"""A folder of images becomes a generator: check, train, measure, save."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.backends import cudnn

from regen.errors import TrainingError
from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json
from regen.generators.registry import GENERATOR_FILE
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.training.augmentation_settings import Augmentation
from regen.generators.stylegan2.training.discriminator_init import stored
from regen.generators.stylegan2.training.initialization import Beginning, begin
from regen.generators.stylegan2.training.loop import Listeners
from regen.generators.stylegan2.training.settings import SIZES, TrainingSettings, check_size
from regen.generators.stylegan2.training.train import train_generator
from regen.generators.stylegan2.training.trainer import Trainer
from regen.images import grid, save_image
from regen.images.folder import FEW, ImageFolder, read_folder
from regen.runs.logbook import Progress
from regen.runs.train_generator.measure import MeasureSettings, measure_generator
from regen.runs.train_generator.watcher import TrainingWatcher
from regen.training.checkpoint import NAME as CHECKPOINT
from regen.training.checkpoint import kept, missing_checkpoint, refuse_checkpoint
from regen.training.distributed import own_device
from regen.training.environment import is_first

MEASURES_FILE = "measures.json"


@dataclass(frozen=True)
class TrainedGenerator:
    """What a finished training left.

    Attributes:
        path: The generator's file.
        scalars: The losses of the last report; empty if nothing was left to do.
        measures: As in measures.json.
    """

    path: Path
    scalars: dict[str, float]
    measures: dict[str, Any]


def train(
    image_folder: Path,
    folder: Path | str,
    beginning: Beginning,
    settings: TrainingSettings,
    *,
    measured: MeasureSettings | None = None,
    enlarge: bool = False,
    minutes: float | None = None,
    licence: str = "",
    resume: bool = False,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda _: None,
) -> TrainedGenerator | None:
    """Train a generator on a folder of images and save it as generator.safetensors.

    Args:
        image_folder: Folder of images.
        folder: Run folder, made where there is none; gets settings.json, TensorBoard events,
            snapshots/, the checkpoint, the generator, measures.json and neighbours.png.
        beginning: Size, and where to begin.
        settings: Of the training.
        measured: What to measure at the end; by default 1000 samples.
        enlarge: Keep images that are too small.
        minutes: End after so many minutes of this run, as if the length were reached.
        licence: Of the result, for its header.
        resume: Go on from the folder's checkpoint.
        device: Where to train.
        tell: Called with the findings about the images, and what was taken over.

    Returns:
        The result; None in all but the first of several processes.

    Raises:
        RegenError: On bad input, if a loss is no longer finite, or the discriminator wins.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint was written, saying where.
    """
    check_size(beginning.size)
    place = own_device(device)
    tell = tell if is_first() else lambda _: None
    folder = Path(folder)
    _check_folder(folder, image_folder, resume)
    begun = begin(beginning, settings, place, tell)
    images = read_images(image_folder, beginning.size, enlarge=enlarge)
    tell(images.report())
    if len(images.images) < FEW and settings.augmentation == Augmentation.none():
        tell(f"  Few images, and no augmentation: below {FEW}, D soon knows them by heart")
    folder = ensure_folder(folder)
    watcher = TrainingWatcher(
        folder, settings, images.images, _recorded(image_folder, beginning, settings), minutes
    )
    try:
        with cudnn.flags(enabled=True, benchmark=True, allow_tf32=True):
            trainer = train_generator(
                begun.generator,
                images.images,
                settings,
                folder=folder,
                discriminator=begun.discriminator,
                began=begun.digest,
                resume=resume,
                minutes=minutes,
                listeners=Listeners(watcher.step, watcher.report, watcher.snapshot),
            )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(kept(folder, settings.steps)) from interrupt
    finally:
        watcher.close()
    if not is_first():
        return None
    if trainer.done < settings.steps:
        tell(f"Time is up: {kept(folder, settings.steps)}")
    if trainer.done <= trainer.waits:
        tell("The generator has not learned yet: so far the discriminator trained alone")
    kimg = trainer.done * settings.batch_images / 1000
    card = _card(image_folder, images, beginning, settings, begun.digest, kimg, licence)
    return _conclude(trainer, images, folder, card, watcher.scalars, measured)


def read_images(image_folder: Path, size: int, *, enlarge: bool = False) -> ImageFolder:
    """`read_folder` with a word on how far it is."""
    total = sum(1 for _ in image_folder.iterdir()) if image_folder.is_dir() else 0
    with Progress(total, "reading images") as progress:
        return read_folder(
            image_folder, size, enlarge=enlarge, sizes=SIZES, on_file=progress.advance
        )


def _recorded(
    image_folder: Path, beginning: Beginning, settings: TrainingSettings
) -> dict[str, object]:
    return {"images": str(image_folder), **asdict(beginning), **asdict(settings)}


def _card(
    image_folder: Path,
    images: ImageFolder,
    beginning: Beginning,
    settings: TrainingSettings,
    began: str,
    kimg: float,
    licence: str,
) -> dict[str, Any]:
    source = f"trained by `regen train-generator` on {len(images.images)} images"
    card: dict[str, Any] = {
        "provenance": f"{source} of the folder {image_folder.resolve().name}",
        "images_digest": images.digest,
        "kimg": round(kimg, 3),
        "training": to_json(asdict(settings)),
    }
    if beginning.init_from is not None:
        card["begun_from"] = {"name": Path(beginning.init_from).name, "digest": began}
    return {**card, "licence": licence} if licence else card


def _conclude(
    trainer: Trainer,
    images: ImageFolder,
    folder: Path,
    card: dict[str, Any],
    scalars: dict[str, float],
    measured: MeasureSettings | None,
) -> TrainedGenerator:
    """Save first, then measure: what was trained is never lost to a measure that fails."""
    path, generator = folder / GENERATOR_FILE, trainer.average
    opponent = stored(trainer.discriminator)
    save_stylegan2(path, generator, card=card, discriminator=opponent)
    with torch.no_grad():
        samples = generator.images(generator.source().samples(range(36)))
    save_image(folder / "samples.png", grid(samples.clamp(-1, 1), columns=6))
    try:
        measures = measure_generator(
            generator, images.images, folder, measured or MeasureSettings()
        )
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(f"{path} is finished, but not measured") from interrupt
    if measures:
        write_json(folder / MEASURES_FILE, to_json(measures))
        card = {**card, "measures": to_json(measures)}
        save_stylegan2(path, generator, card=card, discriminator=opponent)
    return TrainedGenerator(path, scalars, measures)


def _check_folder(folder: Path, image_folder: Path, resume: bool) -> None:
    """Raise what can be known of the run folder before anything is read or written."""
    if folder.resolve() == image_folder.resolve():
        raise TrainingError(
            f"run folder: {folder} is the folder of images",
            remedy="choose another one, or samples would be trained on",
        )
    if not resume:
        refuse_checkpoint(folder, GENERATOR_FILE)
    elif not (folder / CHECKPOINT).is_file():
        raise missing_checkpoint(folder)
