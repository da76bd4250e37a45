"""Measure a trained generator against the renderer on unseen seeds, and write the bundled file.

    python -m experiments.portraits.export_generator runs/portraits

Writes regen/generators/bundled/portraits.safetensors (half precision),
experiments/results/portraits_generator.json and a contact sheet, renderer above generator.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from experiments.recipe import card, write_results
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import load_stylegan2, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import grid
from regen.metrics import load_lpips, psnr, ssim
from regen.portraits import PortraitsOracle
from regen.runs.progress import track

FIRST_SEED, SEEDS, BATCH = 50_000, 1_000, 20


def trained(folder: Path) -> StyleGAN2:
    """What a finished training run left."""
    stored = torch.load(folder / "generator.pt", weights_only=True)
    generator = StyleGAN2(StyleGAN2Config(**stored["config"])).eval().requires_grad_(False)
    generator.load_state_dict(stored["state"])
    for layer in range(1, generator.convolutions + 1):
        generator.conv(layer).noise_const.zero_()  # trained without noise: strengths are 0
    return generator


def pair(generator: StyleGAN2, seeds: Iterable[int]) -> tuple[Tensor, Tensor]:
    """Renderer's and generator's images of seeds."""
    samples = generator.source().samples(seeds)
    return PortraitsOracle(generator.resolution).plain(samples), generator.images(samples)


@torch.no_grad()
def measure(generator: StyleGAN2) -> dict[str, Any]:
    """Distances to the renderer, means over the unseen seeds."""
    lpips, sums = load_lpips("squeeze"), {"lpips": 0.0, "psnr": 0.0, "ssim": 0.0, "l1": 0.0}
    for start in track(range(FIRST_SEED, FIRST_SEED + SEEDS, BATCH), "measuring"):
        plain, fake = pair(generator, range(start, start + BATCH))
        sums["lpips"] += float(lpips(fake, plain).sum())
        sums["psnr"] += float(psnr(fake, plain).sum())
        sums["ssim"] += float(ssim(fake, plain).sum())
        sums["l1"] += float((fake - plain).abs().mean(dim=(1, 2, 3)).sum())
    return {
        "seeds": f"{FIRST_SEED}-{FIRST_SEED + SEEDS - 1}",
        **{name: round(total / SEEDS, 4) for name, total in sums.items()},
        "lpips_backbone": lpips.describe(generator.resolution),
        "parameters": sum(p.numel() for p in generator.parameters()),
    }


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
def main(folder: Path) -> None:
    """Measure and bundle the generator trained in FOLDER."""
    path = BUNDLED_FOLDER / "portraits.safetensors"
    save_stylegan2(path, trained(folder), card=card("portraits"), half=True)
    generator = load_stylegan2(path)  # measured as shipped, rounded to half
    measures = measure(generator)
    plain, fake = pair(generator, range(FIRST_SEED, FIRST_SEED + 24))
    rows = torch.cat([plain[:12], fake[:12], plain[12:], fake[12:]])
    write_results("portraits", measures, folder, grid(rows, columns=12))


if __name__ == "__main__":
    main()
