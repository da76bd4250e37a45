"""Refine a projection for one image, by gradient steps through the tail.

Shapes: N images; H, W their height and width; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.files.budget import is_finite
from regen.generators.split import Split
from regen.losses import ssim_loss, weighted_l1
from regen.numbers import plain
from regen.projector.project import Projection, decoded
from regen.training.quick_adam import QuickAdam


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
        shown = split.tail(projection.value.with_features(start + shift * scale)).float()
        loss = _refining_loss(shown, image, region, settings) + settings.pull * shift.abs().mean()
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
    better = decoded(split, projection.value.with_features(features))
    return Refinement(better, before, float(weighted_l1(better.decoded, image, region)))


def _refining_loss(
    shown: Tensor, image: Tensor, region: Tensor | None, settings: RefineSettings
) -> Tensor:
    compared = shown if region is None else image.lerp(shown, region)
    similar = ssim_loss(compared, image) if settings.ssim else shown.new_zeros([])
    return settings.l1 * weighted_l1(shown, image, region) + settings.ssim * similar
