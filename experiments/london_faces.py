"""Measure a generator of the London faces beside its photographs, and bundle it with its card.

    python -m experiments.london_faces            (make london-faces)

`make gpu-faces` trains such a generator; --generator takes one of its files, and by default the
bundled one is measured again. Writes regen/generators/bundled/london-faces.safetensors (half
precision) with everything that its user should know in the header,
experiments/results/london_faces.json and a sheet of samples. The sheet of nearest photographs stays
in the folder of -o: it shows the people of the set.

Two photographs of each person, neutral and smiling, are named by person: 001_03.jpg, 001_08.jpg.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from experiments.gpu_faces import CARD, NAME, RESULTS, SHARED
from experiments.tables.provenance import provenance
from regen.files.atomic import ensure_folder, write_json
from regen.generators import bundled
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.registry import open_generator
from regen.generators.stylegan2.files import load_stylegan2, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import grid, save_image
from regen.images.folder import read_folder
from regen.metrics import (
    backbone_features,
    describe_lpips,
    frechet_distance,
    load_lpips,
    precision_recall,
    psnr,
)
from regen.metrics.neighbours import nearest, sheet
from regen.projector.files import Projector, open_projector, save_projector
from regen.projector.project import usual_context
from regen.runs.progress import track
from regen.seeds import GENERATOR_METRICS

TRUNCATIONS = (1.0, 0.8)
SHOWN, BATCH = 32, 8
PROJECTED = 64  # samples, and photographs, that the projector is measured on
PROJECTOR_TRAINING = "`make gpu-faces`: `regen train-projector` with batches of 32, on a GPU"
TRAINING = {
    "how": "`make gpu-faces`, in two parts; the second continued from the networks of the first",
    "initialized": "at random, not from another generator",
    "parts": [
        {
            "kimg": 242.9,
            "minutes": 6.3,
            "gpu": "one H100",
            "augmented_share": "1; the discriminator could tell few images apart",
        },
        {
            "kimg": 180.8,
            "minutes": 4.7,
            "gpu": "one H200",
            "augmentation_target": 0.6,
            "augmented_share": "steered, from 1 to 0.25 at the end",
        },
    ],
    "batch_images": 32,
    "learning_rate": 0.002,
    "r1_gamma": 1.64,
    "path_length_weight": 0.0,
    "precision": "bf16",
    "stopped": "by the clock, while samples were still improving",
}


@dataclass(frozen=True)
class Photographs:
    """The training images.

    Attributes:
        images: ``[M, 3, R, R]`` in [-1, 1].
        people: Who is on each, M names.
    """

    images: Tensor
    people: Sequence[str]

    @classmethod
    def read(cls, folder: Path, size: int) -> Photographs:
        """Read a folder whose files are named by person."""
        found = read_folder(folder, size)
        people = [Path(name).stem.partition("_")[0] for name in found.names]
        return cls(found.images.float() / 127.5 - 1, people)


@dataclass(frozen=True)
class Features:
    """Features of LPIPS's backbone, ``[M, D]``, of photographs and of their mirror images."""

    real: Tensor
    mirrored: Tensor
    people: Sequence[str]

    def usual_distances(self) -> dict[str, float]:
        """Median distance of a photograph to the nearest of the same, and of another person."""
        apart = torch.minimum(
            _distances(self.real, self.real), _distances(self.real, self.mirrored)
        )
        same = torch.tensor([[a == b for b in self.people] for a in self.people])
        itself = torch.eye(len(apart), dtype=torch.bool)
        return {
            "same_person": _median_nearest(apart, same & ~itself),
            "another_person": _median_nearest(apart, ~same),
        }

    def halves(self) -> float:
        """Frechet distance between the photographs of one half of the people and of the other."""
        known = sorted(set(self.people))
        first = torch.tensor([person in known[::2] for person in self.people])
        return frechet_distance(self.real[first], self.real[~first])


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a.double(), b.double())


def _median_nearest(apart: Tensor, allowed: Tensor) -> float:
    """Median over the rows of the least allowed distance; rows without any are left out."""
    least = apart.masked_fill(~allowed, torch.inf).amin(dim=1)
    return float(least[least.isfinite()].median())


def quality(fake: Tensor, features: Features) -> dict[str, float]:
    """Metrics of samples by their features ``[N, D]``.

    Returns:
        ``frechet_distance``, ``precision``, ``recall`` and ``nearest_photograph``, the median
        distance of a sample to it.
    """
    precision, recall = precision_recall(features.real, fake)
    found = nearest(fake, features.real, mirrored=features.mirrored, k=1)
    return {
        "frechet_distance": frechet_distance(features.real, fake),
        "precision": precision,
        "recall": recall,
        "nearest_photograph": float(found.distance.median()),
        "nearest_photograph_5th_percentile": float(found.distance.quantile(0.05)),
    }


class Measuring:
    """Measures one generator.

    Args:
        generator: As it is shipped.
        photographs: What it was trained on.
        count: How many samples are measured at each truncation.
        folder: Gets the sheet of nearest photographs.
    """

    def __init__(
        self, generator: StyleGAN2, photographs: Photographs, count: int, folder: Path
    ) -> None:
        self.generator, self.photographs = generator, photographs
        self.count, self.folder = count, folder
        self.lpips = load_lpips("squeeze")
        images = photographs.images
        real, mirrored = (backbone_features(i, self.lpips) for i in (images, images.flip(3)))
        self.features = Features(real, mirrored, photographs.people)

    def samples(self, seeds: Sequence[int], truncation: float) -> Tensor:
        """Images of seeds."""
        request = {"truncation": truncation}
        return self.generator.images(
            [self.generator.sample({"seed": seed, **request}) for seed in seeds], BATCH
        )

    def metrics(self) -> dict[str, Any]:
        """Everything that is measured."""
        return {
            "seeds": f"{GENERATOR_METRICS.first}-{GENERATOR_METRICS.first + self.count - 1}",
            "photographs": len(self.photographs.images),
            "between_halves_of_the_people": {"frechet_distance": self.features.halves()},
            "nearest_other_photograph": self.features.usual_distances(),
            **{f"truncation_{psi:g}": self._at(psi) for psi in TRUNCATIONS},
        }

    def _at(self, truncation: float) -> dict[str, float]:
        seeds = GENERATOR_METRICS.take(self.count)
        parts, shown = [], []
        for i in track(range(0, len(seeds), BATCH), f"sampling at truncation {truncation:g}"):
            images = self.samples(seeds[i : i + BATCH], truncation)
            parts.append(backbone_features(images, self.lpips))
            shown += [] if i >= SHOWN else [images]
        fake = torch.cat(parts)
        self._show(torch.cat(shown), fake, truncation)
        return quality(fake, self.features)

    def _show(self, images: Tensor, fake: Tensor, truncation: float) -> None:
        """Samples beside their nearest photographs."""
        few = fake[: len(images)]
        found = nearest(few, self.features.real, mirrored=self.features.mirrored)
        shown = sheet(images, self.photographs.images, found, pairs=4)
        save_image(self.folder / f"neighbours_{truncation:g}.png", shown)


@torch.no_grad()
def projected(projector: Projector, measuring: Measuring) -> dict[str, Any]:
    """LPIPS and PSNR of images to what their projected features decode to.

    Samples at truncation 0.8 decode with their own context, as in a rewrite; photographs, which
    have none, with the usual one.
    """
    generator = measuring.generator
    split, seeds = generator.split(projector.value_layer, 1), GENERATOR_METRICS.take(PROJECTED)
    rows: dict[str, list[tuple[float, float]]] = {"samples": [], "photographs": []}
    usual = usual_context(generator, split, generator.source(), 1)
    for i in track(range(PROJECTED), "projecting"):
        sample = generator.sample({"seed": seeds[i], "truncation": 0.8})
        own = split.value_of(generator.latents([sample]))
        images = {"samples": (split.tail(own).clamp(-1, 1), own)}
        photograph = measuring.photographs.images[i : i + 1]
        images["photographs"] = (photograph, usual)
        for name, (image, context) in images.items():
            decoded = split.tail(context.with_features(projector(image))).clamp(-1, 1)
            distance = float(measuring.lpips(decoded, image))
            rows[name].append((distance, float(psnr(decoded, image))))
    means = {name: torch.tensor(row).mean(dim=0).tolist() for name, row in rows.items()}
    return {
        "images": PROJECTED,
        **{name: {"lpips": lpips, "psnr": decibels} for name, (lpips, decibels) in means.items()},
    }


def bundle_projector(projector: Projector, measuring: Measuring, folder: Path) -> dict[str, Any]:
    """Write a projector into the package; rewrites do better without it, and do not take it.

    Returns:
        What was measured.
    """
    measures = projected(projector, measuring)
    layer, header = projector.value_layer, projector.header
    training = header.get("training", {"how": PROJECTOR_TRAINING, "kimg": header.get("kimg")})
    path = folder / f"{NAME}_projector{layer}.safetensors"
    save_projector(
        path,
        projector.network,
        measuring.generator,
        layer,
        card={
            **CARD,
            "training": training,
            "measures": measures,
            bundled.REWRITES: False,
        },
        half=True,
    )
    for other in set(folder.glob(f"{NAME}_projector*.safetensors")) - {path}:
        other.unlink()  # of another layer; rewrites and projections would find either
    return measures


@click.command()
@click.option(
    "--generator",
    type=click.Path(path_type=Path),
    default=BUNDLED_FOLDER / f"{NAME}.safetensors",
    show_default=False,
    help="Of a training; the bundled file is written from it. By default the bundled one.",
)
@click.option(
    "--projector",
    type=click.Path(path_type=Path),
    help="Of a training; by default the bundled one.",
)
@click.option("--images", type=click.Path(path_type=Path), default=SHARED / "faces_london_256")
@click.option("--samples", type=int, default=1000, show_default=True, help="At each truncation.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("out/london_faces"))
@click.option("--bundle", type=click.Path(path_type=Path), default=BUNDLED_FOLDER)
@click.option("--results", type=click.Path(path_type=Path), default=RESULTS)
def main(
    generator: Path,
    projector: Path | None,
    images: Path,
    samples: int,
    output: Path,
    bundle: Path,
    results: Path,
) -> None:
    """Measure a generator, and bundle it with what was measured."""
    network = open_generator(generator)
    assert isinstance(network, StyleGAN2)
    measuring = Measuring(
        network, Photographs.read(images, network.resolution), samples, ensure_folder(output)
    )
    metrics = measuring.metrics()
    if projector is not None or bundled.projectors_of(network.digest()):
        back = open_projector(projector, network)
        metrics["projector"] = bundle_projector(back, measuring, ensure_folder(bundle))
    lpips = describe_lpips(measuring.lpips, None, network.resolution)
    made = provenance("experiments.london_faces", {"samples": samples}, lpips)
    write_json(ensure_folder(results) / "london_faces.json", {**metrics, **made})
    shown = measuring.samples(range(SHOWN), 0.8)
    save_image(results / "london_faces.png", grid(shown, columns=8))
    card = {
        **CARD,
        "provenance": "trained on the photographs alone; see training",
        "training": TRAINING,
        "measures": {**metrics, "features": lpips, "command": made["command"]},
    }
    path = ensure_folder(bundle) / f"{NAME}.safetensors"
    save_stylegan2(path, network, card=card, half=True)
    assert load_stylegan2(path).digest() == network.digest()  # measured as it is shipped
    click.echo(json.dumps(metrics, indent=1))
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()
