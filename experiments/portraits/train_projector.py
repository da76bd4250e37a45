"""Train the bundled projector of the bundled generator, measure it, and write its file.

    python -m experiments.portraits.train_projector -o runs/portraits_projector

The same command resumes an interrupted run. For value layer L it writes
regen/generators/bundled/portraits_projectorL.safetensors (half precision) and
experiments/results/portraits_projectorL.json. The bundled ones came from

    --value-layer 10 --kimg 13
    --value-layer 8 --kimg 30 --widths 48 --widths 96 --widths 128 --widths 128
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import click

from experiments.portraits.patterns_error import both_pastes
from regen import open_generator
from regen.generators.names import BUNDLED_FOLDER
from regen.metrics import load_lpips
from regen.precision import resolved
from regen.projector.config import ProjectorConfig
from regen.projector.files import load_projector, save_projector
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import Report, train_projector
from regen.runs.logbook import Logbook
from regen.runs.progress import Progress

RESULTS = Path(__file__).parent.parent / "results"


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--kimg", type=float, default=30.0, help="Thousands of images.")
@click.option("--value-layer", type=int, default=10)
@click.option("--widths", type=int, multiple=True, default=(24, 48, 96, 128), show_default=True)
def main(output: Path, kimg: float, value_layer: int, widths: tuple[int, ...]) -> None:
    """Train, measure and bundle."""
    generator = open_generator("portraits")
    split = generator.split(value_layer, 2)
    config = ProjectorTrainingSettings(kimg=kimg)
    config = replace(config, precision=resolved(config.precision, generator.device))
    resume = any(output.glob("*.pt"))
    output.mkdir(parents=True, exist_ok=True)
    began, log = time.perf_counter(), output / "log.jsonl"
    with Logbook(output) as book, Progress(int(kimg * 1000 / config.batch), "projector") as bar:
        book.settings(config)

        def report(r: Report) -> None:
            book.scalars(r.scalars, r.step)
            book.images("input", r.inputs, r.step)
            if r.decoded is not None:
                book.images("decoded", r.decoded, r.step)
            line = json.dumps({"kimg": r.kimg, **r.scalars})
            click.echo(line)
            with log.open("a") as file:
                file.write(line + "\n")

        network = train_projector(
            generator,
            split,
            config,
            folder=output,
            architecture=ProjectorConfig.for_split(split, generator, widths=widths),
            resume=resume,
            on_report=report,
            on_step=lambda step: bar.advance(step - bar.done),
        )
    card = {
        "provenance": "trained by experiments/portraits on samples of the bundled portraits",
        "licence": "Apache-2.0",
        "training": asdict(config),
    }
    path = BUNDLED_FOLDER / f"portraits_projector{value_layer}.safetensors"
    save_projector(path, network, generator, value_layer, card=card, half=True)
    errors = both_pastes(generator, split, load_projector(path, generator), load_lpips("squeeze"))
    record = {
        "value_layer": value_layer,
        "seconds_of_this_run": round(time.perf_counter() - began, 1),
        "resumed": resume,
        "parameters": sum(p.numel() for p in network.parameters()),
        "settings": asdict(config),
        "errors": errors,
        "log": [json.loads(line) for line in log.read_text().splitlines()],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"portraits_projector{value_layer}.json").write_text(
        json.dumps(record, indent=1) + "\n"
    )
    click.echo(json.dumps(errors, indent=1))


if __name__ == "__main__":
    main()
