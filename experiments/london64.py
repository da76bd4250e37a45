"""London faces at 64x64 on two cores: initialized from the portraits against at random.

    python -m experiments.london64 -o runs/london64 --minutes 110

Both trainings get half of the time, the same images, architecture and settings, but for what a
trained generator needs against a discriminator that knows nothing. The same command resumes a run
that was stopped. Writes experiments/results/london64.json and a sheet of samples of
each. The sheets of nearest training images stay in the run folders: they show the people of the
set.
"""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import click

from experiments.tables.provenance import commit
from regen.files.atomic import ensure_folder, write_json
from regen.files.tensor_file import read_header
from regen.generators import bundled
from regen.generators.stylegan2.files import load_stylegan2
from regen.generators.stylegan2.training.initialization import Beginning
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.warm_start import architecture_from
from regen.runs.train_generator.measure import MeasureSettings
from regen.runs.train_generator.run import train
from regen.training.checkpoint import NAME as CHECKPOINT

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[2] / "shared" / "data" / "faces_london_256"
SIZE, SHEET = 64, "samples.png"
LICENCE = "weights: CC BY 4.0, after Face Research Lab London Set, DeBruine & Jones 2017"


def initializations() -> dict[str, Beginning]:
    """How the two are initialized; the random one has the architecture of the other."""
    portraits = load_stylegan2(bundled.FOLDER / "portraits.safetensors")
    architecture = architecture_from(portraits, SIZE)
    return {
        "warm": Beginning(SIZE, "portraits"),
        "scratch": Beginning(SIZE, architecture=architecture),
    }


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("runs/london64"))
@click.option("--images", type=click.Path(path_type=Path), default=IMAGES)
@click.option("--minutes", type=float, default=110.0, show_default=True, help="Of both together.")
@click.option("--only", type=click.Choice(["warm", "scratch"]), help="Run one of the two.")
@click.option("--samples", type=int, default=2000, show_default=True, help="That are measured.")
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS)
def main(
    output: Path, images: Path, minutes: float, only: str | None, samples: int, results: Path
) -> None:
    """Train both, measure both."""
    ensure_folder(results)
    settings = replace(TrainingSettings.preset(SIZE), length_kimg=10_000.0)
    for name, start in initializations().items():
        if only not in (None, name):
            continue
        folder, spent = output / name, _spent(output / name)
        left = max(minutes / 2 - spent, 1e-3)
        began = time.monotonic()
        trained = train(
            images,
            folder,
            start,
            settings.against_fresh_opponent() if start.init_from else settings,
            measured=MeasureSettings(samples=samples),
            minutes=left,
            licence=LICENCE,
            resume=(folder / CHECKPOINT).exists(),
            tell=click.echo,
        )
        write_json(folder / "spent.json", {"minutes": spent + (time.monotonic() - began) / 60})
        if trained is not None:
            header = read_header(trained.path)
            made = {"minutes": minutes / 2, "kimg": header["kimg"], "commit": commit()}
            metrics = {**made, **trained.measures, "training": header["training"]}
            _publish(folder, name, results, metrics)


def _spent(folder: Path) -> float:
    path = folder / "spent.json"
    return float(json.loads(path.read_text())["minutes"]) if path.exists() else 0.0


def _publish(folder: Path, name: str, results: Path, metrics: dict[str, object]) -> None:
    path = results / "london64.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    write_json(path, {**known, name: metrics})
    if (folder / SHEET).exists():
        shutil.copyfile(folder / SHEET, results / f"london64_{name}_{SHEET}")
    click.echo(json.dumps({name: metrics}))


if __name__ == "__main__":
    main()
