"""`regen train-generator`: train a generator on a folder of images."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from regen.cli.help import Grouped, Setting
from regen.cli.messages import say
from regen.cli.options import BACKBONES, computing, folder_option
from regen.cli.values import ABOVE_0, FROM_0, SHARE, Count, FilePath
from regen.seeds import LARGEST_SEED

_FAMILY = "stylegan2"  # the family these options belong to
_SHOWN_SIZE = 256  # the size whose defaults the help shows


def _defaults() -> SimpleNamespace:
    from regen.generators.families import trainer_of

    return SimpleNamespace(**trainer_of(_FAMILY).options(_SHOWN_SIZE))


def _log(text: str) -> None:
    for line in text.splitlines():
        say(line)


_setting = partial(click.option, cls=Setting, default_from=_defaults)
_EXAMPLE = "\b\nExample:\n  regen train-generator photos/ --size 128 --minutes 90 -o runs/photos"


@click.command(
    "train-generator",
    cls=Grouped,
    headings={
        "size": "Data",
        "length_kimg": "Method",
        "generator_lr": "Research",
        "measure_samples": "Measuring",
        "precision": "Machine",
    },
    epilog=_EXAMPLE,
)
@click.argument("images", metavar="IMAGES", type=FilePath())
@click.option(
    "--size",
    type=click.Choice(["16", "32", "64", "128", "256", "512", "1024"]),
    default=str(_SHOWN_SIZE),
    show_default=True,
    help="Side of the images in pixels. It decides the defaults of the settings; those for "
    f"{_SHOWN_SIZE} are shown.",
)
@click.option(
    "--init-from",
    metavar="G",
    help="Generator to initialize from, of any size: its name, file or run folder. The layers "
    "that fit are taken over.",
)
@click.option("--enlarge", is_flag=True, help="Enlarge small images instead of leaving them out.")
@click.option("--check", is_flag=True, help="Only check the images, and report the findings.")
@folder_option()
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in the output folder.")
@click.option(
    "--licence", default="", metavar="TEXT", help="Licence to record in the generator's file."
)
@_setting(
    "--length-kimg",
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
@_setting(
    "--batch-images",
    metavar="N",
    type=Count(1),
    help="Number of images in a step, over all processes.",
)
@_setting(
    "--flip-probability",
    metavar="SHARE",
    type=SHARE,
    help="Share of the images shown mirrored; give 0 where left and right differ.",
)
@click.option(
    "--augment/--no-augment",
    default=True,
    show_default=True,
    help="Train with differentiable augmentation, which fewer than about ten thousand images need.",
)
@_setting(
    "--augmentation-target",
    metavar="SIGN",
    type=SHARE,
    help="Augment as many images as keep the mean sign of the discriminator's output for real "
    "ones here, such as 0.6; 0 augments all.",
)
@_setting(
    "--seed", metavar="N", type=click.IntRange(0, LARGEST_SEED), help="Seed of all random numbers."
)
@_setting("--generator-lr", metavar="X", type=ABOVE_0, help="Step size of Adam for the generator.")
@_setting(
    "--discriminator-lr",
    metavar="X",
    type=ABOVE_0,
    help="Step size of Adam for the discriminator.",
)
@_setting("--r1-gamma", metavar="X", type=FROM_0, help="Weight of the R1 penalty.")
@_setting(
    "--r1-interval-steps",
    metavar="STEPS",
    type=Count(1),
    help="Interval between two steps with the R1 penalty.",
)
@_setting(
    "--path-length-weight", metavar="X", type=FROM_0, help="Weight of the path length penalty."
)
@_setting(
    "--path-length-interval-steps",
    metavar="STEPS",
    type=Count(1),
    help="Interval between two steps with the path length penalty.",
)
@_setting(
    "--style-mixing-probability",
    metavar="SHARE",
    type=SHARE,
    help="Share of the samples whose styles are mixed from two z.",
)
@_setting(
    "--ema-halflife-kimg",
    metavar="KIMG",
    type=FROM_0,
    help="Half-life of the moving average that becomes the result, in thousands of images.",
)
@_setting(
    "--generator-wait-kimg",
    metavar="KIMG",
    type=FROM_0,
    help="For how many thousand images the discriminator first trains alone. Where --init-from "
    "brings no discriminator, this is 4 by default, and the generator's step size a quarter.",
)
@click.option(
    "--channel-base",
    metavar="N",
    type=Count(1),
    help="Layers at resolution r have N / r channels; the default depends on the size.",
)
@click.option(
    "--channel-max",
    metavar="N",
    type=Count(1),
    help="Most channels of any layer; the default depends on the size.",
)
@click.option(
    "--measure-samples",
    metavar="N",
    type=Count(0),
    default=1000,
    show_default=True,
    help="Number of samples to measure at the end; 0 measures nothing.",
)
@click.option(
    "--backbone",
    type=click.Choice(BACKBONES),
    default="squeeze",
    show_default=True,
    help="Backbone of LPIPS, whose features the metrics use.",
)
@click.option("--fid", is_flag=True, help="Also measure FID and KID, with torch-fidelity.")
@_setting(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    help="Number format of both networks; weights are always float32.",
)
@_setting(
    "--checkpoint-every-kimg",
    metavar="KIMG",
    type=ABOVE_0,
    help="Interval between checkpoints, in thousands of images.",
)
@_setting(
    "--snapshot-every-kimg",
    metavar="KIMG",
    type=ABOVE_0,
    help="Interval between sheets of samples, in thousands of images.",
)
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
    """Train a StyleGAN2 on a folder or zip of images.

    IMAGES may be what NVIDIA's dataset_tool writes; classes are not trained. The images are checked
    first, and the findings reported. Ctrl-C keeps a checkpoint, from which --resume continues.
    Under torchrun several processes share each batch. Writes generator.safetensors, samples.png,
    measures.json, neighbours.png, settings.json, snapshots/, TensorBoard events and checkpoint.pt.
    """
    from regen.generators.families import trainer_of
    from regen.runs.train_generator.measure import MeasureSettings
    from regen.runs.train_generator.run import read_images, train
    from regen.runs.use import generator_command

    trainer = trainer_of(_FAMILY)
    given = {name: value for name, value in options.items() if value is not None}
    if check:
        found = read_images(images, int(size), trainer.sizes, enlarge=enlarge)
        _log(found.report(every_name=True))
        for advice in trainer.plan(int(size), given).advice(len(found.images)):
            say(f"  {advice}")
        return
    if output is None:
        raise click.MissingParameter(param_hint="'-o'", param_type="option")
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
        log=_log,
    )
    if trained is None:
        return
    for name, value in trained.measures.items():
        say(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")
    say(f"Generator: {trained.path}")
    say(f"Use it: {generator_command(trained.path)}")
