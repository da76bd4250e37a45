"""`regen generate`: images of seeds, with rewrites applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regen.cli.help import Grouped
from regen.cli.messages import say
from regen.cli.options import (
    computing,
    folder_option,
    generator_option,
    images_option,
    rewrites_option,
)
from regen.cli.values import Count, FilePath, Number, SeedOrFile, SeedRange
from regen.files.limits import MAX_TRUNCATION
from regen.training.environment import is_first

_EXAMPLE = "\b\nExample:\n  regen generate --rewrite out/eyes:0.5 --seeds 0-15 -o out/half"


@click.command(
    "generate",
    cls=Grouped,
    headings={"generator": "Data", "seeds": "Samples", "precision": "Machine"},
    epilog=_EXAMPLE,
)
@generator_option(show_default="the bundled one of the rewrites, or portraits")
@rewrites_option
@folder_option(required=True)
@click.option(
    "--grid/--no-grid",
    default=True,
    show_default=True,
    help="Also write all images as one sheet, grid.png, each below its seed or name.",
)
@click.option(
    "--seeds",
    "--seed",
    metavar="LIST",
    type=SeedRange(),
    show_default="0-63",
    help="Seeds to generate images of, for instance 7 or 0-63 or 1,5,7-9; with --images, which of "
    "these, by default all.",
)
@images_option()
@click.option(
    "--hole",
    metavar="NAME|FILE",
    help="For a generator that fills holes: the part of the face to hide, nose or eyes for "
    "instance, or a mask, white where it is to be filled; by default a random one for each seed.",
)
@click.option(
    "--holes",
    metavar="DIR",
    type=FilePath(files=False),
    help="Folder of masks for --images, of the same names or in the same order.",
)
@click.option(
    "--grow",
    metavar="PX",
    type=Count(0),
    help="By how many pixels of the generator's images --hole is larger; by default 2 around a "
    "part of the face, and none around a mask.",
)
@click.option(
    "--passes",
    metavar="N",
    type=Count(1),
    default=1,
    show_default=True,
    help="How often a hole is filled; more reach the middle of one that stays grey.",
)
@click.option(
    "--style",
    metavar="SEED|FILE",
    type=SeedOrFile(),
    help="For a generator that translates: the style of all images, a seed or an image of the "
    "domain that is translated into; by default a random one for each image.",
)
@click.option(
    "--truncation",
    metavar="PSI",
    type=Number(-MAX_TRUNCATION, MAX_TRUNCATION),
    default=1.0,
    show_default=True,
    help="Below 1, samples come closer to the average image; below 0, they lie opposite to it.",
)
@click.option(
    "--noise",
    type=click.Choice(["const", "random", "none"]),
    default="const",
    show_default=True,
    help="Noise inputs: the generator's own constants, random ones that depend on the seed, or "
    "none.",
)
@click.option(
    "--class",
    "class_index",
    metavar="N",
    type=Count(0),
    help="Class to generate, counted from 0, if the generator has classes.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="Number format of the network; bf16 is faster where `regen doctor` says so.",
)
@computing
def command(
    generator: str | None,
    rewrites: tuple[tuple[Path, float], ...],
    seeds: tuple[int, ...] | None,
    images: Path | None,
    truncation: float,
    noise: Any,
    precision: Any,
    class_index: int | None,
    hole: str | None,
    holes: Path | None,
    grow: int | None,
    passes: int,
    style: int | str | None,
    grid: bool,
    output: Path,
    device: str,
) -> None:
    """Generate images from seeds, with rewrites applied.

    Writes seed0000.png and so on, and grid.png. Under torchrun several processes share the images.
    """
    from regen.runs.generate import GenerateSettings, generate_images

    if seeds is None:
        seeds = tuple(range(64)) if images is None else ()
    settings = GenerateSettings(
        seeds,
        truncation=truncation,
        noise=noise,
        precision=precision,
        class_index=class_index,
        grid=grid,
        images=images,
        hole=hole,
        holes=holes,
        grow=grow,
        passes=passes,
        style=style,
    )
    files = generate_images(generator, rewrites, settings, output, device=device)
    if not is_first():
        return
    count = len(files) - grid
    say(f"{count} {'image' if count == 1 else 'images'} in {output}")
    if grid:
        say(f"Together: {files[-1]}")
