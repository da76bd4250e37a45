"""What training a backward projector on windows costs and gains, at equal processor time.

    python -m experiments.projector_windows --generator london-faces --value-layer 10 --seconds 300

Trains the same network with the default settings on whole images and on windows, each for as many
images as fit into the processor's time (which other jobs do not change, unlike the clock), and
measures both on the same held-out samples, plain and with foreign patterns pasted in. Adds to
experiments/results/projector_windows.json and writes a sheet.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from experiments.tables.provenance import provenance
from regen.files.atomic import ensure_folder, write_json
from regen.files.run_files import CHECKPOINT_FILE
from regen.generators.protocol import Generator
from regen.generators.registry import open_generator
from regen.generators.split import Activation, Split
from regen.images import grid, save_image
from regen.losses import weighted_l1
from regen.metrics import Lpips, describe_lpips, load_lpips, psnr
from regen.projector.composites import composite
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from regen.projector.sampling import Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.train import train_projector
from regen.projector.trainer import Trainer
from regen.projector.windows import WindowPlan, split_for_windows
from regen.training.distributed import Workers

RESULTS = Path(__file__).parent / "results"
FIRST_SEED = 50_000  # of the samples that are measured; nothing is chosen on them
TRIAL_STEPS = 3


@dataclass(frozen=True)
class HeldOut:
    """Samples to project, with their values, and the same with foreign patterns pasted in."""

    value: Activation
    plain: Tensor
    pasted: Tensor
    masks: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, generator: Generator, split: Split, count: int) -> HeldOut:
        """`count` samples from `FIRST_SEED`, with composites of a fixed seed."""
        samples = generator.source().samples(range(FIRST_SEED, FIRST_SEED + count))
        value = split.value_of(generator.latents(samples))
        plain = split.tail(value).float().clamp(-1, 1)
        pasted, masks = composite(plain, torch.Generator().manual_seed(FIRST_SEED))
        return cls(value, plain, pasted, masks)

    @torch.no_grad()
    def errors(self, projector: BackwardProjector, split: Split, lpips: Lpips) -> dict[str, float]:
        """Of features and of decoded images, means over the samples."""
        predicted = projector.normalised(self.plain)
        true = projector.normalise(self.value.features.float())
        plain, pasted = (self.decode(projector, split, i) for i in (self.plain, self.pasted))
        return {
            "feature_l1": float((predicted - true).abs().mean()),
            "lpips": float(lpips(plain, self.plain).mean()),
            "l1": float((plain - self.plain).abs().mean()),
            "psnr": float(psnr(plain, self.plain).mean()),
            "pasted_lpips": float(lpips(pasted, self.pasted).mean()),
            "pasted_l1_in_pastes": float(weighted_l1(pasted, self.pasted, self.masks)),
        }

    @torch.no_grad()
    def decode(self, projector: BackwardProjector, split: Split, images: Tensor) -> Tensor:
        """What projections of the first images decode to, in the samples' own context."""
        context = self.value.select(range(len(images)))
        return split.tail(context.with_features(projector(images))).float().clamp(-1, 1)


def images_that_fit(
    generator: Generator,
    layer: int,
    settings: ProjectorTrainingSettings,
    widths: tuple[int, ...],
    seconds: float,
) -> float:
    """Thousands of images that a training sees in so much time of the processor, by a trial."""
    split = split_for_windows(generator, layer, settings.window)
    architecture = ProjectorConfig.for_split(split, generator, widths=widths)
    plan = WindowPlan.of(settings.window, split, architecture) if settings.window else None
    sampler = Sampler(
        generator, split, generator.source(), settings, count=settings.batch, seed=0, plan=plan
    )
    trainer = Trainer(settings, architecture, sampler, Workers(), generator.device)
    trainer.step()  # the first one also searches for algorithms
    began = time.process_time()
    for _ in range(TRIAL_STEPS):
        trainer.step()
    a_step = (time.process_time() - began) / TRIAL_STEPS
    return max(1.0, seconds / a_step) * settings.batch / 1000


def trained(
    generator: Generator,
    layer: int,
    settings: ProjectorTrainingSettings,
    widths: tuple[int, ...],
    folder: Path,
) -> tuple[BackwardProjector, float]:
    """A projector, and the seconds of processor time that its steps took."""
    split, times = split_for_windows(generator, layer, settings.window), [time.process_time()]
    (ensure_folder(folder) / CHECKPOINT_FILE).unlink(missing_ok=True)
    projector = train_projector(
        generator,
        split,
        settings,
        folder=folder,
        architecture=ProjectorConfig.for_split(split, generator, widths=widths),
        on_step=lambda done: times.append(time.process_time()),
    )
    return projector, times[-1] - times[1]


@click.command()
@click.option("--generator", default="portraits", show_default=True)
@click.option("--value-layer", type=int, default=10, show_default=True)
@click.option("--seconds", type=float, default=300.0, show_default=True, help="Of each training.")
@click.option("--windows", type=int, multiple=True, default=(0, 64, 128), help="0: whole images.")
@click.option("--samples", type=int, default=16, show_default=True)
@click.option("--batch", type=int, default=16, show_default=True)
@click.option("--widths", type=int, multiple=True, default=ProjectorConfig.widths)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=RESULTS)
def main(
    generator: str,
    value_layer: int,
    seconds: float,
    windows: Sequence[int],
    samples: int,
    batch: int,
    widths: tuple[int, ...],
    output: Path,
) -> None:
    """Train on whole images and on windows, and compare."""
    opened, lpips = open_generator(generator), load_lpips("squeeze")
    split = opened.split(value_layer, 1)
    held_out = HeldOut.of(opened, split, samples)
    rows: dict[str, Any] = {}
    shown = [held_out.pasted[:8]]
    for window in windows:
        settings = ProjectorTrainingSettings(batch=batch, window=window, warmup_kimg=0.05)
        kimg = images_that_fit(opened, value_layer, settings, widths, seconds)
        settings = replace(settings, kimg=kimg, ema_halflife_kimg=kimg / 20)
        folder = Path(f"out/projector_windows/{Path(generator).stem}_{window}")
        projector, spent = trained(opened, value_layer, settings, widths, folder)
        rows[str(window)] = {
            "batch": batch,
            "kimg": round(kimg, 3),
            "images_per_second": round(kimg * 1000 / seconds, 2),
            "seconds_of_processor": round(spent, 1),
            **held_out.errors(projector, split, lpips),
        }
        shown.append(held_out.decode(projector, split, held_out.pasted[:8]))
        click.echo(json.dumps({window: rows[str(window)]}))
    made = provenance(
        "experiments.projector_windows",
        {"samples": samples, "widths": widths, "first_seed": FIRST_SEED},
        describe_lpips(lpips, None, min(opened.image_size)),
    )
    path = ensure_folder(output) / "projector_windows.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    name = f"{Path(generator).stem}, value layer {value_layer}"
    rows = {**known.get(name, {}).get("rows", {}), **rows}
    known[name] = {"rows": rows, **made}
    write_json(path, known)
    sheet = f"projector_windows_{Path(generator).stem}_{'_'.join(map(str, windows))}.png"
    save_image(output / sheet, grid(torch.cat(shown), 8))


if __name__ == "__main__":
    main()
