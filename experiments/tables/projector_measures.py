"""Columns of Table 1: how well a projector reconstructs images, and how true its features are.

In-domain images are held-out samples of the generator, decoded with their own context, as a
rewrite decodes. Out-of-domain images are the oracle's people with foreign patterns, decoded with
the context of the sample of the same seed; and images from folders (real cats, real faces, or the
user's own), which have no context and get the usual one.

Shapes: N images of height and width H, W; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.tables.projector_variants import Table1Settings
from experiments.tables.rows import Measured
from experiments.tables.sheets import histogram
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Activation, Split, concatenate
from regen.images import load_image
from regen.metrics import Lpips, psnr, sliced_wasserstein, ssim, wasserstein_per_channel
from regen.projector.project import Project, project, usual_context
from regen.projector.refine import RefineSettings, refine
from regen.runs.progress import track

PATTERNS = ("cat_eyes", "gear_eyes", "sunglasses", "red_nose")
EXTRA_PATTERNS = ("hat", "medical_mask")  # for training; no measured image has them
_BATCH = 16
_HISTOGRAM = -4.0, 12.0  # its ends in deviations: after a leaky ReLU the upper tail is the long one


@dataclass(frozen=True)
class ImageSet:
    """Images to project.

    Attributes:
        name: "samples", "patterns", or that of a folder.
        images: ``[N, 3, H, W]`` in [-1, 1].
        contexts: An activation of N samples whose context decodes.
        features: The true values ``[N, C, h, w]``; None out of domain.
        shown: How many of them the sheet shows. None of a folder's: their licences differ.
    """

    name: str
    images: Tensor
    contexts: Activation
    features: Tensor | None = None
    shown: int = 0


@torch.no_grad()
def image_sets(
    generator: Generator,
    split: Split,
    settings: Table1Settings,
    folders: Iterable[tuple[str, list[Path]]],
) -> list[ImageSet]:
    """The samples, the patterns where the generator has an oracle, and the folders."""
    source, oracle = generator.source(), generator.oracle
    seeds = range(settings.first_seed, settings.first_seed + settings.samples)
    value = _values(generator, split, source.samples(seeds))
    images = torch.cat([split.tail(value.select(b)).float() for b in _batches(settings.samples)])
    sets = [ImageSet("samples", images.clamp(-1, 1), value, value.features.float(), 4)]
    if oracle is not None:
        samples = source.samples(range(seeds.stop, seeds.stop + settings.outside))
        wanted = [
            oracle.wanted([sample], PATTERNS[i % len(PATTERNS)]) for i, sample in enumerate(samples)
        ]
        contexts = _values(generator, split, samples)
        sets.append(ImageSet("patterns", torch.cat(wanted).to(images), contexts, None, 8))
    for name, files in folders:
        some = files[:: max(1, len(files) // settings.outside)][: settings.outside]
        loaded = torch.cat([load_image(file, size=generator.image_size) for file in some])
        contexts = usual_context(generator, split, source, len(some))
        sets.append(ImageSet(name, loaded.to(images), contexts))
    return sets


def extra_images(generator: Generator, files: Iterable[Path]) -> Tensor | None:
    """Images ``[M, 3, H, W]`` to paste pieces of in training, none of them measured."""
    parts = [load_image(file, size=generator.image_size) for file in files]
    if generator.oracle is not None:
        samples = generator.source().samples(range(32))
        parts += [generator.oracle.wanted(samples, pattern) for pattern in EXTRA_PATTERNS]
    return torch.cat(parts) if parts else None


@dataclass(frozen=True)
class ProjectorMeasures:
    """What Table 1 says about a row.

    Attributes:
        measured: The columns.
        details: LPIPS, PSNR and SSIM of each set of images; Wasserstein of those out of domain.
        decoded: What the shown images of each set decode to.
        histograms: "true" and "projected", features in deviations of the true ones.
    """

    measured: Measured
    details: dict[str, Any]
    decoded: dict[str, Tensor]
    histograms: dict[str, Tensor]


def measure_projector(
    projector: Project,
    split: Split,
    sets: list[ImageSet],
    settings: Table1Settings,
    lpips: Lpips | None,
    reason: str | None,
    refine_steps: int,
) -> ProjectorMeasures:
    """Project all images and compare."""
    measured, details, decoded = Measured(), {}, {}
    outside: list[Tensor] = []
    true = sets[0].features
    assert true is not None
    true = true[: settings.distribution_samples]
    for item in sets:
        features, reconstructed = project_set(projector, split, item, refine_steps)
        values = {
            "lpips": None if lpips is None else lpips(reconstructed, item.images),
            "psnr": psnr(reconstructed, item.images),
            "ssim": ssim(reconstructed, item.images),
        }
        of_set = Measured()
        for name, value in values.items():
            of_set.mean(name, value, reason)
        of_set.number("images", float(len(reconstructed)))
        details[item.name] = of_set.to_json()
        decoded[item.name] = reconstructed[: item.shown]
        if item.name == "samples":
            measured.mean("lpips_in_domain", values["lpips"], reason)
            measured.mean("psnr", values["psnr"])
            measured.mean("ssim", values["ssim"])
            projected = features[: len(true)]
            _distances(measured, projected, true, settings)
        else:
            outside += [] if values["lpips"] is None else [values["lpips"]]
            far = wasserstein_per_channel(features[: len(true)], true)
            of_set.number("wasserstein_to_samples", far)
            details[item.name] = of_set.to_json()
    none = reason or "no images from outside the domain; name a folder with --images"
    measured.mean("lpips_out_of_domain", torch.cat(outside) if outside else None, none)
    return ProjectorMeasures(measured, details, decoded, _histograms(projected, true))


def project_set(
    projector: Project, split: Split, item: ImageSet, refine_steps: int
) -> tuple[Tensor, Tensor]:
    """Features ``[N, C, h, w]`` of a set of images, and what they decode to, on the CPU."""
    features, decoded = [], []
    batches = _batches(len(item.images))
    for batch in track(batches, f"projecting {item.name}") if refine_steps else batches:
        images = item.images[batch.start : batch.stop]
        projection = project(projector, split, images, item.contexts.select(batch))
        if refine_steps:
            refined = refine(split, projection, images, RefineSettings(refine_steps))
            projection = refined.projection
        features.append(projection.value.features.float().cpu())
        decoded.append(projection.decoded.cpu())
    return torch.cat(features), torch.cat(decoded)


def feature_floor(
    generator: Generator, split: Split, sets: list[ImageSet], settings: Table1Settings
) -> dict[str, float]:
    """The distances between the true features of the samples and those of other samples.

    A projector without fault would do no worse, since it is compared with the very same samples.
    """
    first = settings.first_seed + 10_000
    numbers = range(first, first + settings.distribution_samples)
    others = _values(generator, split, generator.source().samples(numbers))
    true = sets[0].features
    assert true is not None
    measured = Measured()
    _distances(measured, others.features.float(), true[: len(others.features)], settings)
    return {name: value for name, value in measured.numbers.items() if value is not None}


def _distances(measured: Measured, a: Tensor, true: Tensor, settings: Table1Settings) -> None:
    measured.number("wasserstein", wasserstein_per_channel(a, true))
    measured.number("sliced_wasserstein", sliced_wasserstein(a, true, settings.directions))


def _histograms(projected: Tensor, true: Tensor) -> dict[str, Tensor]:
    mean, std = true.mean(dim=(0, 2, 3), keepdim=True), true.std(dim=(0, 2, 3), keepdim=True)
    return {
        name: histogram((features - mean) / std.clamp_min(1e-6), *_HISTOGRAM)
        for name, features in (("true", true), ("projected", projected))
    }


@torch.no_grad()
def _values(generator: Generator, split: Split, samples: Sequence[Sample]) -> Activation:
    parts = [samples[b.start : b.stop] for b in _batches(len(samples))]
    return concatenate([split.value_of(generator.latents(part)) for part in parts])


def _batches(count: int) -> list[range]:
    return [range(i, min(i + _BATCH, count)) for i in range(0, count, _BATCH)]
