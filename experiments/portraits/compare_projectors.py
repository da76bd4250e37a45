"""Which way of training the backward projector carries foreign patterns best.

    python -m experiments.portraits.compare_projectors -o runs/projectors --kimg 6

Trains the same network on the same samples, steps and seeds with each setting in turn, and measures
each with `patterns_error`. Finished variants are not trained again. Writes
experiments/results/projectors.json.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import click

from experiments.portraits.patterns_error import both_pastes
from regen.generators import open_generator
from regen.logbook import Progress
from regen.metrics import load_lpips
from regen.projector.network import ProjectorConfig
from regen.projector.settings import TrainingConfig
from regen.projector.training import train_projector

RESULTS = Path(__file__).parent.parent / "results"
WIDTHS = (24, 48, 96, 128)  # as of the bundled one


def variants(kimg: float) -> dict[str, TrainingConfig]:
    """Settings to compare; all begin from the default."""
    base = TrainingConfig(kimg=kimg)
    return {
        "default": base,
        "no_composites": replace(base, composites=0.0),
        "mean_context": replace(base, context="mean"),
        "swap_context": replace(base, context="swap"),
        "no_adversarial": replace(base, adversarial=0.0),
        "all_composites": replace(base, composites=1.0),
        "feature_l1_only": replace(
            base, composites=0.0, adversarial=0.0, semi_cycle_l1=0.0, semi_cycle_ssim=0.0
        ),
    }


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="runs/projectors")
@click.option("--kimg", type=float, default=6.0, help="Thousands of pictures for each variant.")
@click.option("--value-layer", type=int, default=10)
@click.option("--only", multiple=True, help="Variants to run; all by default.")
def main(output: Path, kimg: float, value_layer: int, only: tuple[str, ...]) -> None:
    """Train and measure the variants."""
    generator, lpips = open_generator("portraits"), load_lpips("squeeze")
    split = generator.split(value_layer, 2)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "projectors.json"
    table = json.loads(path.read_text()) if path.exists() else {}
    for name, config in variants(kimg).items():
        if (only and name not in only) or table.get(name, {}).get("kimg") == kimg:
            continue
        began = time.perf_counter()
        with Progress(int(kimg * 1000 / config.batch), name) as progress:
            projector = train_projector(
                generator,
                split,
                config,
                folder=output / name,
                architecture=ProjectorConfig.for_split(split, generator.resolution, widths=WIDTHS),
                on_step=lambda step, p=progress: p.advance(step - p.done),
            )
        seconds = time.perf_counter() - began
        table[name] = {
            "kimg": kimg,
            "value_layer": value_layer,
            "seconds": round(seconds, 1),
            "settings": asdict(config),
            "errors": both_pastes(generator, split, projector, lpips),
        }
        path.write_text(json.dumps(table, indent=1) + "\n")
        click.echo(f"{name}: {json.dumps(table[name]['errors']['image_features'])}")


if __name__ == "__main__":
    main()
