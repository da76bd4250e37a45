"""Columns of Table 1: how well a projector repeats images, and how true its features are.

In-domain images are held-out samples of the generator, decoded with their own context, as a
rewrite decodes. Out-of-domain images are the renderer's people with foreign patterns, decoded
with the context of the sample of the same seed; and images from folders (real cats, real faces,
or the user's own), which have no context and get the mean one.

Shapes: N images of side R; C, h channels and side of the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.tables.figures import histogram
from experiments.tables.projector_variants import Table1Settings
from experiments.tables.rows import Measured
from regen.generators.protocol import Activation, Generator, Split, concatenate
from regen.images import load_image
from regen.metrics import Lpips, psnr, sliced_wasserstein, ssim, wasserstein_per_channel
from regen.portraits import Oracle
from regen.projector.project import Project, RefineSettings, mean_context, project, refine
from regen.runs.logbook import track

PATTERNS = ("cat_eyes", "gear_eyes", "sunglasses", "red_nose")
EXTRA_PATTERNS = ("hat", "medical_mask")  # for training; no measured image has them
_BATCH = 16
_HISTOGRAM = -4.0, 12.0  # its ends in deviations: after a leaky ReLU the upper tail is the long one


@dataclass(frozen=True)
class ImageSet:
    """Images to project.

    Attributes:
        name: "samples", "patterns", or that of a folder.
        images: ``[N, 3, R, R]`` in [-1, 1].
        contexts: N activations that decode.
        features: The true values ``[N, C, h, h]``; None out of domain.
        shown: How many of them the figure shows. None of a folder's: their licences differ.
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
    *,
    portraits: bool,
) -> list[ImageSet]:
    """The samples, the patterns where the renderer knows the generator, and the folders."""
    seeds = range(settings.first_seed, settings.first_seed + settings.samples)
    value = _values(generator, split, seeds)
    images = torch.cat([split.tail(value.select(b)).float() for b in _batches(settings.samples)])
    sets = [ImageSet("samples", images.clamp(-1, 1), value, value.features.float(), 4)]
    if portraits:
        seeds = range(seeds.stop, seeds.stop + settings.outside)
        drawn = [
            Oracle(PATTERNS[i % len(PATTERNS)], generator.resolution).rewritten([seed])
            for i, seed in enumerate(seeds)
        ]
        found = torch.cat(drawn).to(images)
        sets.append(ImageSet("patterns", found, _values(generator, split, seeds), None, 8))
    for name, files in folders:
        some = files[:: max(1, len(files) // settings.outside)][: settings.outside]
        loaded = torch.cat([load_image(file, size=generator.resolution) for file in some])
        contexts = mean_context(generator, split, len(some))
        sets.append(ImageSet(name, loaded.to(images), contexts))
    return sets


def extra_images(size: int, files: Iterable[Path], *, portraits: bool) -> Tensor | None:
    """Images ``[M, 3, size, size]`` to paste pieces of in training, none of them measured."""
    parts = [load_image(file, size=size) for file in files]
    if portraits:
        parts += [Oracle(pattern, size).rewritten(range(32)) for pattern in EXTRA_PATTERNS]
    return torch.cat(parts) if parts else None


@dataclass(frozen=True)
class ProjectorFigures:
    """What Table 1 says about a row.

    Attributes:
        measured: The columns.
        details: LPIPS, PSNR and SSIM of each set of images; features of the patterns.
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
) -> ProjectorFigures:
    """Project all images and compare."""
    measured, details, decoded = Measured(), {}, {}
    outside: list[Tensor] = []
    true = sets[0].features
    assert true is not None
    true = true[: settings.distribution_samples]
    for item in sets:
        features, answer = project_set(projector, split, item, refine_steps)
        values = {
            "lpips": None if lpips is None else lpips(answer, item.images),
            "psnr": psnr(answer, item.images),
            "ssim": ssim(answer, item.images),
        }
        of_set = Measured()
        for name, value in values.items():
            of_set.mean(name, value, reason)
        of_set.number("images", float(len(answer)))
        details[item.name] = of_set.to_json()
        decoded[item.name] = answer[: item.shown]
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
    return ProjectorFigures(measured, details, decoded, _histograms(projected, true))


def project_set(
    projector: Project, split: Split, item: ImageSet, refine_steps: int
) -> tuple[Tensor, Tensor]:
    """Features ``[N, C, h, h]`` of a set of images, and what they decode to, on the CPU."""
    features, decoded = [], []
    batches = _batches(len(item.images))
    for batch in track(batches, f"projecting {item.name}") if refine_steps else batches:
        images = item.images[batch.start : batch.stop]
        answer = project(projector, split, images, item.contexts.select(batch))
        if refine_steps:
            answer = refine(split, answer, images, RefineSettings(refine_steps)).projection
        features.append(answer.value.features.float().cpu())
        decoded.append(answer.decoded.cpu())
    return torch.cat(features), torch.cat(decoded)


def feature_floor(
    generator: Generator, split: Split, sets: list[ImageSet], settings: Table1Settings
) -> dict[str, float]:
    """The distances between the true features of the samples and those of other samples.

    A projector without fault would do no worse, since it is compared with the very same samples.
    """
    first = settings.first_seed + 10_000
    others = _values(generator, split, range(first, first + settings.distribution_samples))
    true = sets[0].features
    assert true is not None
    measured = Measured()
    _distances(measured, others.features.float(), true[: len(others.features)], settings)
    return {name: value for name, value in measured.figures.items() if value is not None}


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
def _values(generator: Generator, split: Split, seeds: range) -> Activation:
    parts = [seeds[b.start : b.stop] for b in _batches(len(seeds))]
    return concatenate([split.value_of(generator.seed_latents(list(part))) for part in parts])


def _batches(count: int) -> list[range]:
    return [range(i, min(i + _BATCH, count)) for i in range(0, count, _BATCH)]
