"""The whole first stage (section 4.1 of the paper): train a backward projector, and save it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.files.as_json import to_json
from regen.files.run_files import PROJECTOR_FILE
from regen.files.tensor_header import Header
from regen.generators.protocol import Generator
from regen.generators.registry import open_generator
from regen.images import load_image
from regen.images.listing import image_files
from regen.precision import resolved
from regen.projector.files import save_projector
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import Report, train_projector
from regen.projector.windows import split_for_windows
from regen.runs.folder import refuse_busy, run_folder
from regen.runs.training_log import TrainingLog
from regen.training.batch_limit import check_batch
from regen.training.checkpoint import kept, refuse_checkpoint
from regen.training.distributed import own_device
from regen.training.environment import is_first


@dataclass(frozen=True)
class Trained:
    """The results of a finished training.

    Attributes:
        path: The projector's file.
        header: Its header.
        scalars: The losses of the last report; empty if there was none.
        note: What to do for a longer training, where time was up before its end; else "".
    """

    path: Path
    header: Header
    scalars: dict[str, float]
    note: str = ""


def default_value_layer(generator: Generator) -> int:
    """The layer at which a family is rewritten.

    Where the family does not say: the layer before the last three convolutions, but at most the
    paper's, 10.
    """
    own = generator.usual_settings.get("value_layer")
    if isinstance(own, int):
        return own
    return max(1, min(10, generator.convolutions - 3))


def train(
    generator: str | Path,
    folder: Path | str,
    settings: ProjectorTrainingSettings,
    *,
    value_layer: int | None = None,
    images: Path | None = None,
    extra_images: Path | None = None,
    resume: bool = False,
    minutes: float | None = None,
    device: str = "cpu",
) -> Trained | None:
    """Train a projector and save it as projector.safetensors.

    Args:
        generator: Name or path.
        folder: Run folder, made where there is none; gets settings.json, TensorBoard events, the
            checkpoint and the projector. Events that a training without a checkpoint left there
            are removed.
        settings: How it is trained.
        value_layer: Convolution whose output B should predict; None for `default_value_layer`.
        images: Folder that a generator takes its samples from, if it needs images.
        extra_images: Folder of images, pieces of which are pasted into the samples.
        resume: Resume from the folder's checkpoint.
        minutes: End after so many minutes of this run, as if the length were reached.
        device: Where to train.

    Returns:
        The result; None in all but the first of several processes.

    Raises:
        RegenError: On bad input, if another run fills the folder, or if a loss is no longer
            finite.
        KeyboardInterrupt: On Ctrl-C, after a checkpoint was written, saying where.
    """
    refuse_busy(folder)
    opened = open_generator(generator, device=own_device(device))
    settings = replace(settings, precision=resolved(settings.precision, opened.device))
    layer = value_layer or default_value_layer(opened)
    split = split_for_windows(opened, layer, settings.window)
    shown = (settings.window,) * 2 if settings.window else opened.image_size
    check_batch("batch", settings.batch, shown, ProjectorError)
    source = opened.source(images)
    extra = None if extra_images is None else load_folder(extra_images, opened.image_size)
    recorded = {
        "generator": str(generator),
        "value_layer": layer,
        "images": images,
        "extra_images": extra_images,
    }
    with run_folder(folder) as place:
        if not resume:
            refuse_checkpoint(place, PROJECTOR_FILE)
        recorded |= asdict(settings)
        watcher = _Watcher(place, "train-projector", settings.steps, recorded, resume=resume)
        try:
            projector = train_projector(
                opened,
                split,
                settings,
                source=source,
                folder=place,
                resume=resume,
                minutes=minutes,
                extra_images=extra,
                on_report=watcher.report,
                on_step=watcher.step,
            )
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(kept(place, settings.steps)) from interrupt
        finally:
            watcher.close()
        if not is_first():
            return None
        path = place / PROJECTOR_FILE
        card = {"training": to_json(asdict(settings)), "extra_images": extra is not None}
        note = ""
        if 0 < watcher.done < settings.steps:
            card["stopped_after_kimg"] = round(watcher.done * settings.batch / 1000, 3)
            note = f"Time is up: {kept(place, settings.steps)}"
        header = save_projector(path, projector, opened, layer, card=card)
        return Trained(path, header, watcher.scalars, note)


def load_folder(folder: Path, size: tuple[int, int]) -> Tensor:
    """All images of a folder, not of folders in it, ``[M, 3, *size]`` in [-1, 1].

    Raises:
        ImageError: If it is not a folder, has no images, or one of them cannot be read.
    """
    return torch.cat([load_image(path, size=size) for path in image_files(folder)])


class _Watcher(TrainingLog):
    """Writes curves and images of a training, and shows its progress."""

    done = 0  # steps, once any was counted

    def step(self, done: int) -> None:
        """Count a step."""
        self.done = done
        loss = self.scalars.get("semi_cycle_l1", self.scalars.get("feature_l1"))
        self.count(done, "" if loss is None else f"L1 {loss:.4f}")

    def report(self, report: Report) -> None:
        """Log what was measured."""
        self.add(report.scalars, report.step)
        self.book.images("input", report.inputs, report.step)
        if report.decoded is not None:
            self.book.images("decoded", report.decoded, report.step)
