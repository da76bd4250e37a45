"""London faces at 64x64 on two cores: started from the portraits against started at random.

    python -m experiments.london64 -o runs/london64 --minutes 110

Both trainings get half of the time, the same images, architecture and settings, but for what a
trained generator needs against a discriminator that is not trained. A run that was stopped resumes
where it was. Writes experiments/results/london64.json and a sheet of samples of
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
from regen.files.run_files import CHECKPOINT_FILE
from regen.files.tensor_file import read_header
from regen.generators.registry import open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.plan import StyleGAN2Plan
from regen.generators.stylegan2.training.settings import InitSettings, TrainingSettings
from regen.generators.stylegan2.training.warm_start import architecture_from
from regen.runs.train_generator.measure import MeasureSettings
from regen.runs.train_generator.run import train

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[2] / "shared" / "data" / "faces_london_256"
SIZE, SHEET = 64, "samples.png"
LICENCE = "weights: CC BY 4.0, after Face Research Lab London Set, DeBruine & Jones 2017"


def plans() -> dict[str, StyleGAN2Plan]:
    """The two trainings; the random one has the architecture of the other."""
    portraits = open_generator("portraits")
    assert isinstance(portraits, StyleGAN2)
    settings = replace(TrainingSettings.preset(SIZE), length_kimg=10_000.0)
    scratch = InitSettings(SIZE, architecture=architecture_from(portraits, SIZE))
    return {
        "warm": StyleGAN2Plan(
            InitSettings(SIZE, "portraits"), settings.with_discriminator_warmup()
        ),
        "scratch": StyleGAN2Plan(scratch, settings),
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
    for name, plan in plans().items():
        if only not in (None, name):
            continue
        folder, spent = output / name, _spent(output / name)
        left = max(minutes / 2 - spent, 1e-3)
        began = time.monotonic()
        trained = train(
            images,
            folder,
            plan,
            measured=MeasureSettings(samples=samples),
            minutes=left,
            licence=LICENCE,
            resume=(folder / CHECKPOINT_FILE).exists(),
            log=click.echo,
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
