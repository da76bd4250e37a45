"""`regen project`: what a generator makes of any image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from regen.cli.common import (
    BACKBONES,
    computing,
    file_type,
    folder_option,
    images_option,
    seed_option,
)


@click.command("project")
@click.argument("images", metavar="IMAGE...", type=file_type(), nargs=-1, required=True)
@click.option(
    "--generator", metavar="G", default="portraits", show_default=True, help="Name or file."
)
@click.option(
    "--projector",
    metavar="P",
    type=file_type(),
    help="Its backward projector, by default the bundled one.",
)
@images_option("sample_images")
@click.option(
    "--fit",
    type=click.Choice(["cover", "contain", "stretch"]),
    default="cover",
    show_default=True,
    help="How an image comes to the generator's size: cut off, filled up, or distorted.",
)
@click.option(
    "--refine",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Improve the features by N gradient steps.",
)
@click.option(
    "--lpips",
    type=click.Choice(BACKBONES),
    default=BACKBONES[0],
    show_default=True,
    help="Backbone of LPIPS.",
)
@folder_option(required=True)
@seed_option(expose_value=False)
@computing
def command(
    images: tuple[Path, ...],
    generator: str,
    projector: Path | None,
    sample_images: Path | None,
    fit: Any,
    refine: int,
    lpips: str,
    output: Path,
    device: str,
) -> None:
    """Project images into a generator's features.

    They may be of any size and kind. Writes for each IMAGE its features, and an image of input,
    decoded features and, with --refine, refined ones side by side; and metrics.json.
    """
    from regen.runs.project import ProjectSettings, project_images

    settings = ProjectSettings(fit=fit, lpips=lpips)
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
        click.echo(f"{output / result.name}.png: {_figures(result.projected)}")
        if result.refined is not None:
            click.echo(f"  refined: {_figures(result.refined)}")
        if result.out_of_reach:
            click.echo(
                f"Warning: {result.source} is far from anything this generator draws; "
                "its features decode to another image",
                err=True,
            )
    if metrics["lpips"].get("unavailable"):
        click.echo(f"Note: no LPIPS: {metrics['lpips']['unavailable']}", err=True)
    click.echo(f"Figures: {output / 'metrics.json'}")


def _figures(figures: dict[str, float | None]) -> str:
    formats = {
        "lpips": "LPIPS {:.4f}",
        "l1": "L1 {:.4f}",
        "psnr": "PSNR {:.1f} dB",
        "ssim": "SSIM {:.3f}",
    }
    shown = [text.format(figures[key]) for key, text in formats.items() if figures[key] is not None]
    return ", ".join(shown)
