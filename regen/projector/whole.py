"""Project one whole image, as `regen project` and `regen.project` do: its context is found first.

A generator that fills holes takes the context from the image itself, with a hole in it; any other
from the sample with which the features decode best.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from regen.errors import GeneratorError, printable
from regen.generators.protocol import Generator, Source
from regen.generators.split import Split
from regen.images.regions import Region
from regen.projector.files import Projector
from regen.projector.project import Projection, best_context, own_context, project


def project_whole(
    projector: Projector,
    generator: Generator,
    split: Split,
    source: Source,
    image: Tensor,
    picture: Path | str,
    *,
    candidates: int,
    hole: Region | Path | str | None,
) -> Projection:
    """Project an image, with a context of its own or the best of samples.

    Args:
        projector: B.
        generator: The generator.
        split: The same, cut at B's layer.
        source: Its samples.
        image: ``[1, 3, H, W]`` in [-1, 1].
        picture: The file of the image, or a data URI; only what fills holes reads it.
        candidates: How many samples' contexts are tried, beside that of the most typical one.
        hole: What is hidden of it; see `check_hole`.

    Raises:
        ProjectorError: If the image does not fit, or B's prediction is not finite.
        GeneratorError: If a hole does not fit the image.
    """
    if generator.changes_in_part:
        context, guide = own_context(generator, split, picture, hole)
    else:
        context, guide = best_context(projector, generator, split, source, image, candidates), None
    return project(projector, split, image, context, guide)


def check_hole(generator: Generator, hole: Region | Path | str | None) -> None:
    """Raise GeneratorError if the generator needs a hole and there is none, or the other way."""
    if generator.changes_in_part and hole is None:
        raise GeneratorError(
            "hole of the images to project",
            got="none",
            expected="a mask, white where this generator fills",
            remedy="name it, with --hole on the command line",
        )
    if hole is not None and not generator.changes_in_part:
        raise GeneratorError(
            "hole",
            got=_named(hole),
            expected="none",
            remedy=f"this generator, of the family {generator.family}, makes whole images",
        )


def _named(hole: Region | Path | str) -> str:
    if isinstance(hole, Region):
        return "a region"
    return "a mask" if str(hole).startswith("data:") else printable(str(hole))
