"""Generators and their projectors: what they make of samples, of latents and of any image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from regen.edits.schema import sample_of
from regen.errors import GeneratorError, ProjectorError
from regen.generators.pictures import checked_folder
from regen.generators.protocol import Generator, Sample, checked_open
from regen.generators.split import Latent
from regen.images import Source, as_shown, data_uri, load_image
from regen.images.given import AtHand, checked, image_source, mask_source
from regen.images.regions import Region
from regen.numbers import plain
from regen.projector.files import PROJECTING_LAYER, Projector
from regen.projector.files import open_projector as _open_projector
from regen.projector.project import Projection
from regen.projector.refine import RefineSettings
from regen.projector.refine import refine as _refine
from regen.projector.whole import check_hole, project_whole
from regen.surroundings import unaffected


@unaffected()
def open_projector(
    generator: Generator, path: Path | str | None = None, *, value_layer: int | None = None
) -> Projector:
    """The backward projector of a generator.

    Args:
        generator: The generator it belongs to.
        path: The projector's file or the run folder of its training; by default the bundled one
            that belongs to the generator.
        value_layer: Which bundled one, where there is more than one.

    Raises:
        StoreError: If the file is damaged, or not a projector.
        ProjectorError: If no bundled one exists, or it belongs to another generator.
    """
    return _open_projector(path, checked_open(generator), value_layer=value_layer)


@unaffected()
def sample(generator: Generator, keys: Mapping[str, Any]) -> Sample:
    """The sample that the keys of a target in an edits file describe.

    Args:
        generator: Any generator.
        keys: ``{"seed": 3}``, ``{"seed": 3, "truncation": 0.7}``, or for generators that change
            images ``{"seed": 3, "hole": {"portraits": "eyes"}}``; images and masks may be at hand,
            as for `edits_of`. Of a hole with several margins the first counts.

    Raises:
        RegenError: If the generator has no such sample, or a value is not valid.
    """
    return checked_open(generator).sample(sample_of(keys).request())


@unaffected()
def generate(
    generator: Generator,
    seeds: Iterable[int] = (),
    *,
    samples: Iterable[Sample] = (),
    latents: Latent | None = None,
    truncation: float | None = None,
    batch_size: int | None = None,
) -> Tensor:
    """Images of seeds, of samples, or of latents.

    Args:
        generator: Any generator; ``rewrite.applied_to(generator)`` for a rewritten one.
        seeds: One image each.
        samples: One image each, after those of the seeds; from ``generator.sample(...)`` or
            ``generator.source(...)``.
        latents: One image each, after those; from ``generator.latents(samples)``, or of a StyleGAN2
            from ``generator.style_latents(w)``.
        truncation: psi of the seeds, for a generator that has it; by default 1.
        batch_size: How many images are computed at once; by default 16, fewer of large ones.

    Returns:
        ``[N, 3, H, W]`` float32 on the CPU, in [-1, 1].

    Raises:
        GeneratorError: If there is nothing to generate, or the generator has no such sample.
    """
    checked_open(generator)
    if not isinstance(seeds, Iterable):
        raise GeneratorError("seeds", got=repr(seeds), expected="several, [1, 2] for instance")
    batch_size = plain(batch_size)
    if batch_size is not None and (type(batch_size) is not int or batch_size < 1):
        raise GeneratorError("batch size", got=repr(batch_size), expected="1 or more")
    given = _several(samples)
    if latents is not None:
        _check_latents(latents)
    request = {} if truncation is None else {"truncation": truncation}
    wanted = [generator.sample({"seed": seed, **request}) for seed in seeds] + given
    parts = [generator.images(wanted, batch_size)] if wanted else []
    if latents is not None and len(latents):
        parts.append(_images_of(generator, latents, batch_size or generator.batch_size))
    if not parts:
        raise GeneratorError("seeds", got="none", expected="at least one")
    return torch.cat(parts)


@unaffected()
def project(
    image: Tensor | Source | AtHand,
    generator: Generator,
    projector: Projector | Path | str | None = None,
    *,
    fit: Literal["cover", "contain", "stretch"] = "cover",
    candidates: int = 64,
    images: Path | str | None = None,
    hole: Region | Path | str | AtHand | None = None,
    refine: int | RefineSettings = 0,
    on_step: Callable[[int, float], None] | None = None,
) -> Projection:
    """Project any image into a generator's features (section 4.1 of the paper).

    Args:
        image: A tensor ``[3, H, W]`` or ``[1, 3, H, W]`` in [-1, 1] at the generator's size; or an
            image of any size, as `load_image` takes it: a file, an image of Pillow, an array.
        generator: The generator whose features are computed.
        projector: Or its file or run folder; by default the bundled one that does best on whole
            images.
        fit: How an image that is no tensor is brought to the generator's size, see `load_image`.
        candidates: How many samples' contexts are tried to decode the features.
        images: Folder that a generator takes its samples from, if it needs images.
        hole: For a generator that fills holes: what is hidden of the image; a region, the path of
            a mask, or a mask as `load_mask` takes it.
        refine: Number of gradient steps that bring the decoded image closer to `image`, or all
            settings of them; 0 for none. 100 are usual.
        on_step: Called with the number of steps of refinement done and the loss.

    Returns:
        The value features with a context, and what they decode to.

    Raises:
        ImageError: If the image cannot be read.
        ProjectorError: If the generator has no projector, or the image does not fit it; or if
            refinement diverges.
        GeneratorError: If the generator needs a folder of images or a hole, or takes none.
    """
    steps = refine if isinstance(refine, RefineSettings) else _steps_of(refine)
    if not isinstance(projector, Projector):
        projector = _open_projector(projector, checked_open(generator), preferred=PROJECTING_LAYER)
    hole = hole if isinstance(hole, (Region, Path, str)) or hole is None else _mask_uri(hole)
    check_hole(generator, hole)
    split = generator.split(projector.value_layer, 1)
    if isinstance(image, Tensor):
        shown = checked(image, "image to project")[None].float()
    else:
        shown = load_image(image_source(image), size=generator.image_size, fit=fit)
    shown = shown.to(generator.device)
    first = project_whole(
        projector,
        generator,
        split,
        generator.source(checked_folder(images)),
        shown,
        _location(image) if generator.changes_in_part else "",
        candidates=candidates,
        hole=hole,
    )
    if not steps.steps:
        return first
    return _refine(split, first, shown, steps, on_step=on_step).projection


@torch.no_grad()
def _images_of(generator: Generator, latents: Latent, batch_size: int) -> Tensor:
    """What `Generator.images` gives, of latents."""
    batches = (
        latents.select(range(first, min(first + batch_size, len(latents))))
        for first in range(0, len(latents), batch_size)
    )
    return torch.cat([as_shown(generator(batch)) for batch in batches])


def _several(samples: Iterable[object]) -> list[Sample]:
    """The samples as a list: an iterator gives them once. Raises GeneratorError for others."""
    checked: list[Sample] = []
    for one in samples if isinstance(samples, Iterable) else [None]:
        if not isinstance(one, Sample):
            wrong = samples if one is None else one
            raise GeneratorError(
                "samples",
                got=f"a value of type {type(wrong).__name__}",
                expected="several, as `generator.sample` gives",
            )
        checked.append(one)
    return checked


def _check_latents(given: object) -> None:
    """Raise GeneratorError for what is no family's; tensors have a `select` of another kind."""
    if isinstance(given, Tensor) or not (hasattr(given, "select") and hasattr(given, "__len__")):
        raise GeneratorError(
            "latents", got=type(given).__name__, expected="latents, as `generator.latents` gives"
        )


def _steps_of(refine: object) -> RefineSettings:
    steps = plain(refine)
    if type(steps) is not int:
        raise ProjectorError(
            "refine", got=repr(refine), expected="a number of steps, or RefineSettings"
        )
    return RefineSettings(steps=steps)


def _mask_uri(mask: AtHand) -> str:
    return str(mask_source(mask, "hole"))


def _location(image: Source | AtHand) -> Path | str:
    """The path of an image, or a data URI of it."""
    source = image_source(image)
    return data_uri(source) if isinstance(source, bytes) else source
