"""Measure a trained portraits-cats on unseen people and styles, and write the bundled file.

    python -m experiments.cats.export_generator runs/cats

Writes regen/generators/bundled/portraits-cats.safetensors (half precision),
experiments/results/cats_generator.json and a contact sheet: people, what the network makes of them,
the renderer's cats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from experiments.recipe import card, write_results
from regen.files import tensor_file
from regen.generators import bundled
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.files import save_munit
from regen.generators.munit.generator import Translator
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.protocol import Sample
from regen.images import grid
from regen.metrics import load_lpips, psnr
from regen.seeds import HELD_OUT

NAME = "portraits-cats"
COUNT = 64


def trained(folder: Path) -> Translator:
    """What a finished training left, rounded to half precision as it is shipped."""
    stored = torch.load(folder / "generator.pt", weights_only=True)
    generator = Translator(MUNITConfig(**stored["config"])).eval().requires_grad_(False)
    generator.network.load_state_dict(stored["state"])
    generator.half().float()
    generator.oracle = generator.limited(bundled.renderer(generator.image_size))
    return generator


def unseen(generator: Translator, count: int = COUNT) -> list[Sample]:
    """People that the network was not trained on, each in a style of its own."""
    return [generator.sample({"seed": seed}) for seed in HELD_OUT.take(count)]


@torch.no_grad()
def measure(generator: Translator) -> dict[str, Any]:
    """Distances of translations to the cats, and of the styles that are read from cats."""
    assert generator.oracle is not None
    samples, lpips = unseen(generator), load_lpips()
    images, cats = generator.images(samples), generator.oracle.plain(samples)
    codes = generator.latents(samples).styles
    errors = {
        "l1": (images - cats).abs().mean(),
        "lpips": lpips(images, cats).mean(),
        "psnr": psnr(images, cats).mean(),
        "style_l1": (generator.network.style_encoder(cats) - codes).abs().mean(),
    }
    return {
        "people": f"{HELD_OUT.first}-{HELD_OUT.first + COUNT - 1}",
        **{name: round(float(error), 4) for name, error in errors.items()},
        "lpips_backbone": lpips.describe(generator.config.size),
        "parameters": sum(p.numel() for p in generator.parameters()),
    }


def sheet(generator: Translator, columns: int = 12) -> Tensor:
    """People, translations and cats, in two bands."""
    assert generator.oracle is not None
    rows, samples = [], unseen(generator, 2 * columns)
    for band in (samples[:columns], samples[columns:]):
        given = generator.shown_input(generator.latents(band))
        rows += [given, generator.images(band), generator.oracle.plain(band)]
    return grid(torch.cat(rows), columns)


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def main(folder: Path) -> None:
    """Measure and bundle the generator trained in FOLDER."""
    generator = trained(folder)
    digest = {bundled.LOADED_DIGEST: tensor_file.digest(generator.state_dict())}
    path = BUNDLED_FOLDER / f"{NAME}.safetensors"
    save_munit(path, generator, card={**card("cats"), **digest}, half=True)
    write_results("cats", measure(generator), folder, sheet(generator))


if __name__ == "__main__":
    main()
