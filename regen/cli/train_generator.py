"""`regen train-generator`: a folder of images becomes a generator."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from shlex import quote
from types import SimpleNamespace
from typing import Any

import click

from regen.cli.common import BACKBONES, LARGEST_SEED, Setting, computing, folder_option

_FAMILY = "stylegan2"  # whose options these are
_SHOWN_SIZE = 256  # whose defaults the help shows


def _defaults() -> SimpleNamespace:
    from regen.generators.families import trainer_of

    return SimpleNamespace(**trainer_of(_FAMILY).options(_SHOWN_SIZE))


_setting = partial(click.option, cls=Setting, default_from=_defaults)
_ABOVE_0, _FROM_0 = click.FloatRange(0, min_open=True), click.FloatRange(0)


@click.command("train-generator")
@click.argument("images", metavar="IMAGES_DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--size",
    type=click.Choice(["16", "32", "64", "128", "256", "512", "1024"]),
    default=str(_SHOWN_SIZE),
    show_default=True,
    help="Side of the images; settings that are not given are those of its preset, of which "
    f"the defaults of {_SHOWN_SIZE} are shown.",
)
@click.option(
    "--init-from",
    metavar="G",
    help="Generator to begin from, name or file, of any size; layers that fit are taken.",
)
@_setting("--length-kimg", type=_ABOVE_0, help="Thousands of images to show.")
@click.option("--minutes", type=_ABOVE_0, help="End after so many minutes, if not before.")
@_setting("--batch-images", type=click.IntRange(1), help="Images in a step, of all processes.")
@_setting("--generator-lr", type=_ABOVE_0, help="Adam's step size for the generator.")
@_setting("--discriminator-lr", type=_ABOVE_0, help="Adam's step size for the discriminator.")
@_setting("--r1-gamma", type=_FROM_0, help="Weight of R1.")
@_setting("--r1-interval-steps", type=click.IntRange(1), help="Steps between two with R1.")
@_setting("--path-length-weight", type=_FROM_0, help="Weight of the path length penalty.")
@_setting(
    "--path-length-interval-steps",
    type=click.IntRange(1),
    help="Steps between two with the path length penalty.",
)
@_setting(
    "--style-mixing-probability",
    type=click.FloatRange(0, 1),
    help="Share of samples with styles of two z.",
)
@_setting("--ema-halflife-kimg", type=_FROM_0, help="Half-life of the moving average.")
@_setting(
    "--flip-probability",
    type=click.FloatRange(0, 1),
    help="Share of the images shown mirrored; 0 where left and right differ.",
)
@click.option(
    "--augment/--no-augment",
    default=True,
    show_default=True,
    help="Differentiable augmentation, needed below some ten thousand images.",
)
@_setting(
    "--generator-wait-kimg",
    type=_FROM_0,
    help="At first the discriminator trains alone for this long; 4 where --init-from brings no "
    "discriminator, and the generator's step size is then a quarter.",
)
@_setting(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    help="What both networks compute in; weights are float32 always.",
)
@_setting("--seed", type=click.IntRange(0, LARGEST_SEED), help="Source of all randomness.")
@_setting("--checkpoint-every-kimg", type=_ABOVE_0, help="Between checkpoints.")
@_setting("--snapshot-every-kimg", type=_ABOVE_0, help="Between sheets of samples.")
@click.option("--channel-base", type=click.IntRange(1), help="Channels at r: base / r ...")
@click.option("--channel-max", type=click.IntRange(1), help="... but not more than this.")
@click.option("--enlarge", is_flag=True, help="Keep images that are too small.")
@click.option("--check", is_flag=True, help="Only look at the images, and say what is found.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the output folder.")
@click.option("--licence", default="", metavar="TEXT", help="Recorded in the result.")
@click.option(
    "--measure-samples",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Samples to measure at the end; 0 measures nothing.",
)
@click.option(
    "--backbone",
    type=click.Choice(BACKBONES),
    default="squeeze",
    show_default=True,
    help="Of LPIPS, whose features are measured on.",
)
@click.option("--fid", is_flag=True, help="Measure FID and KID too, by torch-fidelity.")
@folder_option()
@computing
def command(
    images: Path,
    size: str,
    minutes: float | None,
    enlarge: bool,
    check: bool,
    resume: bool,
    licence: str,
    measure_samples: int,
    backbone: str,
    fid: bool,
    output: Path | None,
    device: str,
    **options: Any,
) -> None:
    """Train a StyleGAN2 on the images in IMAGES_DIR.

    The images are checked first, and what was found is reported. Ctrl-C keeps a checkpoint, from
    which --resume continues. Under torchrun several processes share each batch. Writes
    generator.safetensors, samples.png, measures.json, neighbours.png, settings.json, snapshots/,
    TensorBoard events and checkpoint.pt.
    """
    from regen.generators.families import trainer_of
    from regen.runs.train_generator.measure import MeasureSettings
    from regen.runs.train_generator.run import read_images, train

    trainer = trainer_of(_FAMILY)
    if check:
        found = read_images(images, int(size), trainer.sizes, enlarge=enlarge)
        click.echo(found.report(every_name=True))
        return
    if output is None:
        raise click.MissingParameter(param_hint="'-o'", param_type="option")
    given = {name: value for name, value in options.items() if value is not None}
    trained = train(
        images,
        output,
        trainer.plan(int(size), given),
        measured=MeasureSettings(measure_samples, backbone, fid),
        enlarge=enlarge,
        minutes=minutes,
        licence=licence,
        resume=resume,
        device=device,
        log=click.echo,
    )
    if trained is None:
        return
    for name, value in trained.measures.items():
        click.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    click.echo(f"Generator: {trained.path}")
    click.echo(f"Use it: regen generate --generator {quote(str(trained.path))} --seeds 0-63 -o DIR")
