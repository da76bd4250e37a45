"""`regen train-projector`: the first stage, training a projector for one layer of a generator."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regen.cli.help import Grouped, Setting
from regen.cli.messages import say
from regen.cli.options import computing, folder_option, generator_option, given, images_option
from regen.cli.values import ABOVE_0, FROM_0, SHARE, Count, FilePath
from regen.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from regen.projector.settings import ProjectorTrainingSettings


def _defaults() -> ProjectorTrainingSettings:
    from regen.projector.settings import ProjectorTrainingSettings

    return ProjectorTrainingSettings()


_setting = partial(click.option, cls=Setting, default_from=_defaults)
_EXAMPLE = (
    "\b\nExample:\n  regen train-projector --generator mine.safetensors --kimg 50 -o runs/mine"
)


@click.command(
    "train-projector",
    cls=Grouped,
    headings={
        "generator": "Data",
        "preset": "Method",
        "context": "Research",
        "precision": "Machine",
    },
    epilog=_EXAMPLE,
)
@generator_option(required=True)
@images_option()
@click.option(
    "--extra-images",
    metavar="DIR",
    type=FilePath(files=False),
    help="Folder of images, pieces of which are pasted into the samples.",
)
@folder_option(required=True)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the output folder.")
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="Which settings to use by default: those that measured best here, or the paper's. The "
    "defaults shown are those of 'default'.",
)
@click.option(
    "--value-layer",
    metavar="L",
    type=Count(1),
    help="Convolution, counted from 1, whose output is the value, by default that of the "
    "generator's family, or the fourth from the end, but at most 10.",
)
@_setting(
    "--kimg",
    metavar="KIMG",
    type=ABOVE_0,
    help="Length of the training, in thousands of images.",
)
@click.option(
    "--minutes",
    metavar="MINUTES",
    type=ABOVE_0,
    help="Stop after this many minutes, if the training has not finished by then.",
)
@_setting("--batch", metavar="N", type=Count(1), help="Number of images in a step.")
@_setting(
    "--window",
    metavar="PX",
    type=Count(0),
    help="Train on windows of so many pixels, which is faster; 0 trains on whole images.",
)
@_setting("--lr", metavar="X", type=ABOVE_0, help="Step size of Adam.")
@_setting(
    "--seed", metavar="N", type=click.IntRange(0, LARGEST_SEED), help="Seed of all random numbers."
)
@_setting(
    "--context",
    type=click.Choice(["own", "mean", "swap"]),
    help="Which context decodes the projected features: that of the sample itself, of the mean "
    "latent, or of another sample.",
)
@_setting(
    "--composites",
    metavar="SHARE",
    type=SHARE,
    help="Share of the images that get foreign patterns pasted in.",
)
@_setting(
    "--feature-l1", metavar="X", type=FROM_0, help="Weight of the L1 distance of the features."
)
@_setting(
    "--adversarial", metavar="X", type=FROM_0, help="Weight of the feature discriminator's loss."
)
@_setting(
    "--semi-cycle-l1",
    metavar="X",
    type=FROM_0,
    help="Weight of the L1 distance of the decoded images.",
)
@_setting(
    "--semi-cycle-ssim",
    metavar="X",
    type=FROM_0,
    help="Weight of 1 - SSIM of the decoded images.",
)
@_setting(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16"]),
    help="Number format of the convolutions; auto is bf16 where it is quicker, and fp32 "
    "otherwise. Weights are always float32.",
)
@_setting(
    "--checkpoint-every-kimg",
    metavar="KIMG",
    type=ABOVE_0,
    help="Interval between checkpoints, in thousands of images.",
)
@computing
def command(
    generator: str,
    images: Path | None,
    value_layer: int | None,
    preset: str,
    extra_images: Path | None,
    resume: bool,
    minutes: float | None,
    output: Path,
    device: str,
    **settings: Any,
) -> None:
    """Train the backward projector of a generator.

    Ctrl-C keeps a checkpoint, from which --resume continues. Under torchrun several processes
    share each batch. Writes projector.safetensors, settings.json, TensorBoard events and
    checkpoint.pt.
    """
    from regen.projector.settings import ProjectorTrainingSettings
    from regen.runs.train_projector import train
    from regen.runs.use import is_guided, projector_command

    config = (
        ProjectorTrainingSettings().paper() if preset == "paper" else ProjectorTrainingSettings()
    )
    config = replace(config, **given(settings, ProjectorTrainingSettings))
    trained = train(
        generator,
        output,
        config,
        value_layer=value_layer,
        images=images,
        extra_images=extra_images,
        resume=resume,
        minutes=minutes,
        device=device,
    )
    if trained is None:
        return
    if trained.note:
        say(trained.note)
    for name, value in trained.scalars.items():
        say(f"{name}: {value:.4g}")
    say(f"Projector: {trained.path}")
    guided = is_guided(trained.header)
    say(f"Use it: {projector_command(generator, trained.path, images, guided=guided)}")
