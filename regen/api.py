"""The front door: everything that `regen` does, on tensors and values.

No function here needs a folder, prints, or reads the command line. The command line, the tables
and the reports call these functions, or what these call.

Example:
    >>> generator = open_generator("portraits")
    >>> generate(generator, seeds=[1, 2]).shape
    torch.Size([2, 3, 128, 128])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.edits.schema import Edits, Image, edits_of, read_edits, sample_of
from regen.errors import GeneratorError, RegenError
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.images import Brought, bring, load_image, load_mask
from regen.images.regions import Region
from regen.projector.files import PROJECTING_LAYER, Projector
from regen.projector.files import open_projector as _open_projector
from regen.projector.project import Projection, best_context, own_context
from regen.projector.project import project as _project
from regen.rewriting.cautions import Caution
from regen.rewriting.exemplars import Exemplar, load_exemplars
from regen.rewriting.learn import Learned, OnPartial, OnStep, learn, learned_before
from regen.rewriting.preview import ExemplarPreview, Preview
from regen.rewriting.preview import preview as _preview
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings
from regen.rewriting.task import Task, resolve
from regen.rewriting.workbench import View, Workbench

__all__ = [
    "Brought",
    "Caution",
    "Edits",
    "Exemplar",
    "ExemplarPreview",
    "FitSettings",
    "Generator",
    "Learned",
    "Preview",
    "Projection",
    "Projector",
    "RegenError",
    "Rewrite",
    "RewriteSettings",
    "RuleSettings",
    "Sample",
    "Task",
    "View",
    "Workbench",
    "bring",
    "edits_of",
    "exemplar_image",
    "generate",
    "learn",
    "learned_before",
    "load_exemplars",
    "load_mask",
    "open_generator",
    "open_projector",
    "preview",
    "project",
    "read_edits",
    "rewrite",
    "sample",
]


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
    return _open_projector(path, generator, value_layer=value_layer)


def exemplar_image(source: str, *, within: str = "") -> Tensor:
    """The image that an exemplar of an edits file names, ``[1, 3, H, W]`` in [-1, 1].

    Args:
        source: A path, a data URI, or ``"skimage:chelsea"``.
        within: What names it: messages begin with it.

    Raises:
        EditsError: If scikit-image is needed for it, and is not installed.
        ImageError: If the image cannot be read.
    """
    return Image(source).load(within=within)


def sample(generator: Generator, keys: Mapping[str, Any]) -> Sample:
    """The sample that the keys of a target in an edits file describe.

    Args:
        generator: Any generator.
        keys: As JSON values: ``{"seed": 3}``, ``{"seed": 3, "hole": {"portraits": "eyes"}}``. Of a
            hole with several margins the first counts.

    Raises:
        RegenError: If the generator has no such sample, or a value is not valid.
    """
    return generator.sample(sample_of(keys).request())


def generate(
    generator: Generator,
    seeds: Iterable[int] = (),
    *,
    samples: Sequence[Sample] = (),
    truncation: float | None = None,
    batch_size: int | None = None,
) -> Tensor:
    """Images of seeds, or of samples.

    Args:
        generator: Any generator; ``rewrite.applied_to(generator)`` for a rewritten one.
        seeds: One image each.
        samples: One image each, after those of the seeds; from ``generator.sample(...)`` or
            ``generator.source(...)``.
        truncation: psi of the seeds, for a generator that has it; by default 1.
        batch_size: How many images are computed at once; by default 16, fewer of large ones.

    Returns:
        ``[N, 3, H, W]`` float32 on the CPU, in [-1, 1].

    Raises:
        GeneratorError: If there is nothing to generate, or the generator has no such sample.
    """
    request = {} if truncation is None else {"truncation": truncation}
    wanted = [generator.sample({"seed": seed, **request}) for seed in seeds]
    wanted += samples
    if not wanted:
        raise GeneratorError("seeds", got="none", expected="at least one")
    return generator.images(wanted, batch_size)


def project(
    image: Tensor | Path | str | bytes,
    generator: Generator,
    projector: Projector | None = None,
    *,
    candidates: int = 64,
    images: Path | None = None,
    hole: Region | Path | str | None = None,
) -> Projection:
    """Project any image into a generator's features (section 4.1 of the paper).

    Args:
        image: ``[1, 3, H, W]`` in [-1, 1] at the generator's size, or an image file of any size
            and kind (path, bytes or data URI), of which the middle is used.
        generator: The generator whose features are computed.
        projector: By default the bundled one that does best on whole images.
        candidates: How many samples' contexts are tried to decode the features.
        images: Folder that a generator takes its samples from, if it needs images.
        hole: For a generator that fills holes: what is hidden of the image, which then must be a
            file; a region, or the path of a mask.

    Returns:
        The value features with a context, and what they decode to.

    Raises:
        ImageError: If the image cannot be read.
        ProjectorError: If the generator has no projector, or the image does not fit it.
        GeneratorError: If the generator needs a folder of images, or takes none.
    """
    if projector is None:
        projector = _open_projector(None, generator, preferred=PROJECTING_LAYER)
    split = generator.split(projector.value_layer, 1)
    if generator.changes_in_part or hole is not None:
        if isinstance(image, (Tensor, bytes)):
            raise GeneratorError("image with a hole", got="not a file", expected="a path")
        context, guide = own_context(generator, split, image, hole)
        image = load_image(image, size=generator.image_size).to(generator.device)
        return _project(projector, split, image, context, guide)
    if not isinstance(image, Tensor):
        image = load_image(image, size=generator.image_size)
    image = image.to(generator.device)
    source = generator.source(images)
    context = best_context(projector, generator, split, source, image, candidates)
    return _project(projector, split, image, context)


def preview(
    edits: Edits | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projector: Path | str | None = None,
    images: Path | None = None,
    device: torch.device | str = "cpu",
    samples: int = 8,
) -> Preview:
    """What `rewrite` would learn and where the rule would act; nothing is learned.

    The result holds exemplars and targets with their regions, composites, what the wanted values
    decode to, the map of similar keys on unseen samples, and cautions: what looks wrong, in words.

    Args:
        edits: An edits file, or its content.
        generator: Used instead of the one that the edits name.
        settings: Settings that the edits do not give; by default those of the preset "default".
        projector: A projector's file or run folder, used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute, if the generator is not open yet.
        samples: How many unseen samples are shown.

    Raises:
        RegenError: On bad input of any kind.
    """
    task = resolve(
        edits,
        generator,
        settings=settings,
        projectors=[] if projector is None else [projector],
        images=images,
        device=str(device),
    )
    return _preview(task, samples)


def rewrite(
    edits: Edits | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projector: Path | str | None = None,
    images: Path | None = None,
    device: torch.device | str = "cpu",
    on_step: OnStep | None = None,
    on_partial: OnPartial | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Rewrite:
    """Teach a generator the rule of an edits file (section 4.2 of the paper).

    The generator is not modified; the result is the change of its weights. It equals, byte for
    byte once saved, the rewrite that ``regen rewrite`` writes for the same edits and settings.

    Args:
        edits: An edits file, or its content.
        generator: Used instead of the one that the edits name.
        settings: Settings that the edits do not give; by default those of the preset "default".
        projector: A projector's file or run folder, used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute, if the generator is not open yet.
        on_step: Called every few steps with the step and the losses by name.
        on_partial: Called as often with the number of steps taken and the rewrite so far, to show
            what it does already.
        should_stop: Called after every step. Once it returns True, the result is what was learned
            until then, and its settings record the number of steps.

    Raises:
        RegenError: On bad input of any kind, or if the fit diverges.
    """
    task = resolve(
        edits,
        generator,
        settings=settings,
        projectors=[] if projector is None else [projector],
        images=images,
        device=str(device),
    )
    return learn(task, on_step=on_step, on_partial=on_partial, should_stop=should_stop).rewrite
