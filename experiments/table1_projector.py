"""Table 1: the backward projector. Trains one for each row and measures all alike.

    python -m experiments.table1_projector -o experiments/results
    python -m experiments.table1_projector --quick -o out/quick

The same command resumes a stopped run: rows that are done are not computed again, and a training is
resumed from its checkpoint. With a generator of one's own and a folder of images from outside its
domain it is the paper's experiment:

    python -m experiments.table1_projector --generator ffhq.safetensors --value-layer 10 \\
        --widths 48 --widths 96 --widths 128 --widths 128 --images cats -o out/ffhq
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
import torch

from experiments.tables.projector_table import Table1
from experiments.tables.projector_variants import Table1Settings, variants
from regen import RegenError


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), default="out/table1", show_default=True)
@click.option("--generator", default="portraits", show_default=True, help="Name or path.")
@click.option("--data", type=click.Path(path_type=Path), default="../shared/data")
@click.option("--images", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--extra-images", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--value-layer", type=click.IntRange(1), default=Table1Settings.value_layer)
@click.option("--widths", type=int, multiple=True, default=Table1Settings.widths, show_default=True)
@click.option("--kimg", type=click.FloatRange(0, min_open=True), default=Table1Settings.kimg)
@click.option("--window", type=int, default=0, help="Train on windows of so many pixels.")
@click.option("--adversarial", type=float, default=Table1Settings.adversarial, help="Its weight.")
@click.option("--rows", help="Rows to compute, with commas; all by default.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--quick", is_flag=True, help="Check the machinery; the numbers are not meaningful.")
def main(
    output: Path,
    work: Path,
    generator: str,
    data: Path,
    images: Path | None,
    extra_images: Path | None,
    value_layer: int,
    widths: tuple[int, ...],
    kimg: float,
    window: int,
    adversarial: float,
    rows: str | None,
    device: str,
    quick: bool,
) -> None:
    """Compute Table 1."""
    torch.manual_seed(0)
    settings = Table1Settings(
        kimg=kimg, window=window, value_layer=value_layer, adversarial=adversarial
    )
    settings = settings.quick() if quick else replace(settings, widths=widths)
    wanted = None if rows is None else set(rows.split(","))
    try:
        table = Table1(
            generator,
            settings,
            work,
            data=data if data.is_dir() else None,
            image_folder=images,
            extra=extra_images,
            device=device,
        )
        names = [v.row for v in variants(settings)]
        if wanted and not wanted <= set(names):
            raise RegenError("--rows", got=rows, expected=", ".join(names))
        for variant in variants(settings):
            if wanted is None or variant.row in wanted:
                numbers = table.compute(variant).result["measured"]["numbers"]
                click.echo(f"{variant.row}: {numbers}")
        table.write(output)
    except RegenError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo(f"stopped; what is done is in {work}; the same command resumes", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
