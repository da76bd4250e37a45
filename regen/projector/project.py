"""Project images that the generator never generated: their features, and what these decode to.

A foreign image has no context of its own. `usual_context` gives that of the most typical sample,
`best_context` looks for a better one among samples; a composite, which is how a rewrite projects,
is decoded with the context of the sample that it was pasted into.

Shapes: N images; H, W their height and width; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import GeneratorError, ProjectorError
from regen.generators.protocol import Generator, Source
from regen.generators.split import Activation, Split
from regen.numbers import plain
from regen.projector.guide import guided

Project = Callable[[Tensor], Tensor]
_BATCH = 4  # contexts at once; more are no faster, and a command should stay below 1 GB


@dataclass(frozen=True)
class Projection:
    """The features of images, and what they decode to.

    Attributes:
        value: Features ``[N, C, h, w]``, with the context that decodes them.
        decoded: ``[N, 3, H, W]``, what the tail generates from them, within [-1, 1].
    """

    value: Activation
    decoded: Tensor

    def __repr__(self) -> str:
        """Its shapes, without the numbers."""
        features, decoded = list(self.value.features.shape), list(self.decoded.shape)
        return f"<Projection: features {features}, decoded {decoded}>"


@torch.no_grad()
def usual_context(generator: Generator, split: Split, source: Source, count: int = 1) -> Activation:
    """The value of the most typical sample, `count` times; its context decodes foreign images."""
    return split.value_of(generator.latents(source.typical(1))).select([0] * count)


@torch.no_grad()
def own_context(
    generator: Generator, split: Split, picture: Path | str, hole: object = None
) -> tuple[Activation, Tensor | None]:
    """The context of an image file that the generator takes itself, and where it can change.

    For a family whose images change in part: its context is what surrounds the hole.

    Args:
        generator: The generator.
        split: The same, cut at B's layer.
        picture: The file, or a data URI.
        hole: What is hidden, as in a request to `Generator.sample`: a region, or a mask's path.

    Returns:
        An activation of one sample, and its guide for `project`.

    Raises:
        GeneratorError: If the family has no such samples, or the image is not in proportion to
            the images of the generator.
    """
    given: dict[str, object] = {} if hole is None else {"hole": hole}
    latent = generator.latents([generator.sample({"picture": str(picture), **given})])
    guide = generator.changeable(latent)
    if guide is not None and guide.shape[2:] != generator.image_size:
        (height, width), (h, w) = guide.shape[2:], generator.image_size
        raise GeneratorError(
            f"size of {picture} for this generator",
            got=f"{width} x {height}",
            expected=f"{w} x {h}, or in proportion",
            remedy="crop it",
        )
    return split.value_of(latent), guide


@torch.no_grad()
def project(
    projector: Project,
    split: Split,
    image: Tensor,
    context: Activation,
    guide: Tensor | None = None,
) -> Projection:
    """Project images by B (section 4.1 of the paper), and decode the prediction.

    Args:
        projector: B, or a `Projector` from a file.
        split: The generator, cut at B's layer.
        image: ``[N, 3, H, W]`` in [-1, 1].
        context: An activation of N samples whose context decodes.
        guide: Where the images can change, ``[N, 1, H, W]``, for a B that asks for it.

    Raises:
        ProjectorError: If there are not as many contexts as images, or B's prediction is not
            finite.
    """
    if len(context.features) != len(image):
        raise ProjectorError(
            "contexts to decode with", got=len(context.features), expected=str(len(image))
        )
    features = projector(guided(image, guide))
    if not bool(torch.isfinite(features).all()):
        raise ProjectorError("the projector's prediction", got="numbers that are not finite")
    return decoded(split, context.with_features(features))


@torch.no_grad()
def best_context(
    projector: Project,
    generator: Generator,
    split: Split,
    source: Source,
    image: Tensor,
    candidates: int = 64,
) -> Activation:
    """The context, among those of typical samples, with which B's prediction decodes best.

    Args:
        projector: B.
        generator: The generator, for samples.
        split: The same, cut at B's layer.
        source: Its samples.
        image: One image ``[1, 3, H, W]`` in [-1, 1].
        candidates: How many samples to try beside the most typical one.

    Returns:
        An activation of one sample.

    Raises:
        ProjectorError: If there is not exactly one image, or `candidates` is no number from 0.
    """
    candidates = plain(candidates)
    if len(image) != 1 or type(candidates) is not int or candidates < 0:
        got = f"{len(image)} images and {candidates!r} candidates"
        raise ProjectorError("search for a context", got=got, expected="1 image, from 0")
    best = usual_context(generator, split, source)
    features = projector(image)
    least = _errors(split, best, features, image)[0]
    others = source.typical(1 + candidates)[1:]
    for first in range(0, len(others), _BATCH):
        values = split.value_of(generator.latents(others[first : first + _BATCH]))
        errors = _errors(split, values, features, image)
        winner = int(errors.argmin())
        if errors[winner] < least:
            best, least = values.select([winner]), errors[winner]
    return best


def _errors(split: Split, values: Activation, features: Tensor, image: Tensor) -> Tensor:
    """Mean absolute error ``[M]`` of one image decoded with each of M contexts."""
    count = len(values.features)
    shown = split.tail(values.with_features(features.expand(count, -1, -1, -1).contiguous()))
    return (shown.float() - image).abs().mean(dim=(1, 2, 3))


@torch.no_grad()
def decoded(split: Split, value: Activation) -> Projection:
    """The projection that features and a context make."""
    return Projection(value, split.tail(value).float().clamp(-1, 1))
