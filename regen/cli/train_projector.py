"""`regen train-projector`: the first stage, a projector for one layer of one generator."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from regen.cli.common import LARGEST_SEED, Setting, computing, folder_option, given, images_option

if TYPE_CHECKING:
    from regen.projector.settings import ProjectorTrainingSettings


def _defaults() -> ProjectorTrainingSettings:
    from regen.projector.settings import ProjectorTrainingSettings

    return ProjectorTrainingSettings()


_setting = partial(click.option, cls=Setting, default_from=_defaults)
_WEIGHT = click.FloatRange(0)


@click.command("train-projector")
@click.option("--generator", metavar="G", required=True, help="Name or file.")
@images_option()
@click.option(
    "--value-layer",
    type=click.IntRange(1),
    help="Convolution whose output is the value; by default the fourth from the end, at most 10.",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="Where settings that are not given come from; the defaults shown are those of 'default'.",
)
@_setting("--kimg", type=click.FloatRange(0, min_open=True), help="Thousands of images to see.")
@_setting("--batch", type=click.IntRange(1), help="Images in a step.")
@_setting("--lr", type=click.FloatRange(0, min_open=True), help="Adam's step size.")
@_setting(
    "--context",
    type=click.Choice(["own", "mean", "swap"]),
    help="Which context decodes in the semi-cycle: the sample's own, the mean's, or another's.",
)
@_setting(
    "--composites",
    type=click.FloatRange(0, 1),
    help="Share of the images with foreign patterns pasted in.",
)
@_setting("--feature-l1", type=_WEIGHT, help="Weight of the features' L1.")
@_setting("--adversarial", type=_WEIGHT, help="Weight of the feature discriminator.")
@_setting("--semi-cycle-l1", type=_WEIGHT, help="Weight of the decoded images' L1.")
@_setting("--semi-cycle-ssim", type=_WEIGHT, help="Weight of the decoded images' 1 - SSIM.")
@_setting(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    help="What convolutions compute in; weights are float32 always.",
)
@_setting("--seed", type=click.IntRange(0, LARGEST_SEED), help="Source of all randomness.")
@_setting(
    "--checkpoint-every-kimg",
    type=click.FloatRange(0, min_open=True),
    help="Thousands of images between checkpoints.",
)
@click.option(
    "--extra-images",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Images, pieces of which are pasted into samples.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the output folder.")
@folder_option(required=True)
@computing
def command(
    generator: str,
    images: Path | None,
    value_layer: int | None,
    preset: str,
    extra_images: Path | None,
    resume: bool,
    output: Path,
    device: str,
    **settings: Any,
) -> None:
    """Train a generator's backward projector.

    Ctrl-C keeps a checkpoint, from which --resume goes on. Under torchrun several processes share
    each batch. Writes projector.safetensors, settings.json,
    TensorBoard events and checkpoint.pt.
    """
    from regen.projector.settings import ProjectorTrainingSettings
    from regen.runs.train_projector import train

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
        device=device,
    )
    if trained is None:
        return
    for name, value in trained.scalars.items():
        click.echo(f"{name}: {value:.4g}")
    click.echo(f"Projector: {trained.path}")
    names = f"--generator {quote(generator)} --projector {quote(str(trained.path))}"
    names += "" if images is None else f" --images {quote(str(images))}"
    click.echo(f"Use it: regen project {names} IMAGE -o DIR")
