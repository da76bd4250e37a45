"""`regen project`: project any image into a generator's features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from regen.cli.help import Grouped
from regen.cli.messages import say
from regen.cli.options import (
    BACKBONES,
    computing,
    file_type,
    folder_option,
    generator_option,
    images_option,
    projector_type,
    seed_option,
)
from regen.cli.values import Count
from regen.errors import printable

_EXAMPLE = "\b\nExample:\n  regen project photo.jpg --refine 100 -o out/photo"


@click.command(
    "project",
    cls=Grouped,
    headings={"generator": "Data", "fit": "Method", "device": "Machine"},
    epilog=_EXAMPLE,
)
@click.argument("images", metavar="IMAGE...", type=file_type(), nargs=-1, required=True)
@generator_option(default="portraits", show_default=True)
@click.option(
    "--projector",
    metavar="P",
    type=projector_type(),
    help="Backward projector of this generator, its file or the run folder of its training; by "
    "default the bundled one.",
)
@images_option("sample_images")
@folder_option(required=True)
@click.option(
    "--fit",
    type=click.Choice(["cover", "contain", "stretch"]),
    default="cover",
    show_default=True,
    help="How an image is brought to the generator's size: cropped, padded, or distorted.",
)
@click.option(
    "--hole",
    metavar="FILE",
    type=file_type(),
    help="For a generator that fills holes: mask of what is hidden of every image, white where it "
    "is to be filled.",
)
@click.option(
    "--refine",
    metavar="N",
    type=Count(0),
    default=0,
    show_default=True,
    help="Number of gradient steps that refine the projected features.",
)
@seed_option(expose_value=False)
@click.option(
    "--lpips",
    type=click.Choice(BACKBONES),
    default=BACKBONES[0],
    show_default=True,
    help="Backbone of the LPIPS metric.",
)
@computing
def command(
    images: tuple[Path, ...],
    generator: str,
    projector: Path | None,
    sample_images: Path | None,
    fit: Any,
    hole: Path | None,
    refine: int,
    lpips: str,
    output: Path,
    device: str,
) -> None:
    """Project images into a generator's features.

    Each IMAGE may have any size and format. Writes its features, and the input beside its decoded
    features (and, with --refine, beside the refined ones) as one image; and metrics.json for all.
    """
    from regen.runs.project import ProjectSettings, project_images

    settings = ProjectSettings(fit=fit, lpips=lpips, hole=hole)
    settings = replace(settings, refine=replace(settings.refine, steps=refine))
    results, metrics = project_images(
        images,
        output,
        settings,
        generator=generator,
        projector=projector,
        sample_images=sample_images,
        device=device,
    )
    for result in results:
        say(f"{output / result.name}.png: {_metrics_line(result.projected)}")
        if result.refined is not None:
            say(f"  refined: {_metrics_line(result.refined)}")
        if result.out_of_reach:
            warning = f"Warning: {result.source} is far from any image this generator makes; "
            click.echo(printable(f"{warning}its features decode to another image"), err=True)
    if metrics["lpips"].get("unavailable"):
        reason = f"Note: no LPIPS: {metrics['lpips']['unavailable']}"
        click.echo(printable(reason), err=True)
    say(f"Metrics: {output / 'metrics.json'}")


def _metrics_line(metrics: dict[str, float | None]) -> str:
    formats = {
        "lpips": "LPIPS {:.4f}",
        "l1": "L1 {:.4f}",
        "psnr": "PSNR {:.1f} dB",
        "ssim": "SSIM {:.3f}",
    }
    shown = [text.format(metrics[key]) for key, text in formats.items() if metrics[key] is not None]
    return ", ".join(shown)
