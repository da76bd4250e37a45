"""`regen convert`: write a generator in another tool's file format, with rewrites applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from regen.cli.messages import say
from regen.cli.options import file_type, rewrites_option
from regen.cli.torch_import import import_torch
from regen.errors import printable


@click.command("convert")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST", type=file_type())
@rewrites_option
@click.option(
    "--which",
    type=click.Choice(["G_ema", "G", "b2a", "D"]),
    default="G_ema",
    show_default=True,
    help="Which network to take: the average that all tools generate with, the generator as it was "
    "in training, a MUNIT's translation from b to a, or the discriminator alone.",
)
@click.option(
    "--to",
    type=click.Choice(["native", "nvidia", "rosinality", "onnx", "rfr", "munit"]),
    help="Format to write, by default that of DST's suffix: .safetensors, .pkl, .pt, .onnx, .pth.",
)
def command(
    source: str,
    target: Path,
    rewrites: tuple[tuple[Path, float], ...],
    which: Any,
    to: Any,
) -> None:
    """Convert a generator to the file format of another tool.

    SRC is a name or a file of regen's, a pickle of NVIDIA's (stylegan2-ada-pytorch, stylegan3,
    DragGAN; TensorFlow's StyleGAN2 and ADA), or a checkpoint of rosinality's stylegan2-pytorch, of
    RFR-Inpainting, or of MUNIT (2018, or imaginaire's of 2021). It is recognised by its content,
    and no code in it is run. A discriminator is converted too. ONNX, a StyleGAN2 from z to image,
    needs the package onnx.
    """
    import_torch()
    from regen.runs.convert import convert

    done = convert(source, target, rewrites=rewrites, which=which, to=to)
    for note in done.notes:
        click.echo(printable(f"Note: {note}"), err=True)
    size = f"{done.image_size[1]}x{done.image_size[0]}"
    say(f"{target}: {size}, {done.format}, from {done.origin}, digest {done.digest[:12]}")
