"""`regen generate`: images of seeds, with rewrites applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regen.cli.common import SeedRange, computing, folder_option, rewrites_option


@click.command("generate")
@click.option(
    "--generator", metavar="G", default="portraits", show_default=True, help="Name or file."
)
@rewrites_option
@click.option(
    "--seeds",
    "--seed",
    metavar="LIST",
    type=SeedRange(),
    default="0-63",
    show_default=True,
    help="What to draw, for instance 7 or 0-63 or 1,5,7-9.",
)
@click.option(
    "--truncation",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Below 1, samples come closer to the average.",
)
@click.option(
    "--noise",
    type=click.Choice(["const", "random", "none"]),
    default="const",
    show_default=True,
    help="The generator's own noise, one drawn from each seed, or none.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    default="fp32",
    show_default=True,
    help="What the network computes in; bf16 is quicker where the processor has it.",
)
@click.option(
    "--class",
    "class_index",
    metavar="N",
    type=click.IntRange(0),
    help="Class to draw, from 0, for a generator that has classes.",
)
@click.option("--grid/--no-grid", default=True, show_default=True, help="Lay all out in grid.png.")
@folder_option(required=True)
@computing
def command(
    generator: str,
    rewrites: tuple[tuple[Path, float], ...],
    seeds: tuple[int, ...],
    truncation: float,
    noise: Any,
    precision: Any,
    class_index: int | None,
    grid: bool,
    output: Path,
    device: str,
) -> None:
    """Draw images of seeds, with rewrites applied.

    Writes seed0000.png and so on, and grid.png.
    """
    from regen.runs.generate import GenerateSettings, generate_images

    settings = GenerateSettings(seeds, truncation, noise, precision, class_index, grid)
    files = generate_images(generator, rewrites, settings, output, device=device)
    click.echo(f"{len(seeds)} {'image' if len(seeds) == 1 else 'images'} in {output}")
    if grid:
        click.echo(f"Together: {files[-1]}")
