"""Project images that the generator never generated: features, decoded images, and refinement.

A foreign image has no context of its own. `usual_context` gives that of the most typical sample,
`best_context` looks for a better one among samples; a composite, which is how a rewrite projects,
is decoded with the context of the sample that it was pasted into.

Shapes: N images; H, W their height and width; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import GeneratorError, ProjectorError
from regen.files.budget import is_finite
from regen.generators.protocol import Generator, Source
from regen.generators.split import Activation, Split
from regen.losses import ssim_loss, weighted_l1
from regen.numbers import plain
from regen.projector.guide import guided
from regen.training.quick_adam import QuickAdam

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


@dataclass(frozen=True)
class RefineSettings:
    """How features are improved for one image.

    Attributes:
        steps: Adam steps, from 0.
        lr: Step size, in standard deviations of the features, above 0.
        l1: Weight of the L1 of images.
        ssim: Weight of 1 - SSIM.
        pull: Weight of the mean absolute departure from B's prediction, in standard deviations; it
            keeps the features where the memory can learn them.
    """

    steps: int = 100
    lr: float = 0.02
    l1: float = 1.0
    ssim: float = 0.25
    pull: float = 0.02

    def __post_init__(self) -> None:
        given = {one.name: plain(getattr(self, one.name)) for one in fields(self)}
        for name, value in given.items():
            object.__setattr__(self, name, value)
        numbers = type(self.steps) is int and all(map(is_finite, given.values()))
        if not numbers or min(given.values()) < 0 or self.lr == 0:
            raise ProjectorError(
                "refinement", got=self, expected="steps and weights from 0, lr above 0"
            )


@dataclass(frozen=True)
class Refinement:
    """A refined projection, and its error before and after.

    Attributes:
        projection: With the improved features.
        before: Mean absolute difference of the decoded image to the image, in the region.
        after: The same after refinement.
    """

    projection: Projection
    before: float
    after: float


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
    return _decoded(split, context.with_features(features))


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
    decoded = split.tail(values.with_features(features.expand(count, -1, -1, -1).contiguous()))
    return (decoded.float() - image).abs().mean(dim=(1, 2, 3))


def refine(
    split: Split,
    projection: Projection,
    image: Tensor,
    settings: RefineSettings,
    *,
    region: Tensor | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Refinement:
    """Improve features by gradient steps through the tail, starting from B's prediction.

    The decoded image comes closer, but the features leave the distribution of the generator's own,
    and the memory learns such features less well; `pull` balances the two.

    Args:
        split: The generator, cut at B's layer; its parameters are not touched.
        projection: The features to start from.
        image: ``[N, 3, H, W]`` in [-1, 1], what should be decoded.
        settings: Steps, step size and weights.
        region: Where the image matters, ``[N, 1, H, W]`` in [0, 1]; None for everywhere. With a
            region SSIM compares images that are equal outside of it.
        on_step: Called with the number of steps done and the loss.

    Raises:
        ProjectorError: If the loss becomes infinite or NaN.
        ShapeError: If shapes do not fit.
    """
    start = projection.value.features.detach().float()
    scale = start.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-3 * float(start.std()) + 1e-12)
    shift = torch.zeros_like(start, requires_grad=True)  # in deviations of each channel
    adam = QuickAdam([shift], (0.9, 0.99))
    before = float(weighted_l1(projection.decoded, image, region))
    for step in range(settings.steps):
        decoded = split.tail(projection.value.with_features(start + shift * scale)).float()
        loss = _refining_loss(decoded, image, region, settings) + settings.pull * shift.abs().mean()
        adam.step(torch.autograd.grad(loss, [shift]), settings.lr)
        if not math.isfinite(loss.item()):
            raise ProjectorError(
                f"refinement: loss in step {step}",
                got=loss.item(),
                remedy=f"lower its lr (now {settings.lr:g})",
            )
        if on_step is not None:
            on_step(step + 1, loss.item())
    features = (start + shift * scale).detach()
    better = _decoded(split, projection.value.with_features(features))
    return Refinement(better, before, float(weighted_l1(better.decoded, image, region)))


def _refining_loss(
    decoded: Tensor, image: Tensor, region: Tensor | None, settings: RefineSettings
) -> Tensor:
    shown = decoded if region is None else image.lerp(decoded, region)
    similar = ssim_loss(shown, image) if settings.ssim else decoded.new_zeros([])
    return settings.l1 * weighted_l1(decoded, image, region) + settings.ssim * similar


@torch.no_grad()
def _decoded(split: Split, value: Activation) -> Projection:
    return Projection(value, split.tail(value).float().clamp(-1, 1))
