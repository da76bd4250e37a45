"""Values without a backward projector: gradient steps through the tail, from the target's own.

    wanted = value + region * shift,    shift = 0 at first

Adam moves the shift until the image decoded from the wanted values is the composite: recall is
measured as the fit measures it on images, heavily inside the region, lightly outside, where
composite and target are equal. So the values are the best that the tail can decode within the
region, and equal to the target's own elsewhere; unlike a projector's they need not be among those
that the memory finds easy to learn. Where the family can compute a part of the image, only the
region and a band around it are decoded; where steps are recorded, on a GPU, the whole image is.

Shapes: T targets; C, h, w channels, height and width of the value; H, W of the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.crops import CropSplit, Window, cut
from regen.generators.split import Activation, Split
from regen.images.raster import bounds
from regen.losses import weighted_l1
from regen.rewriting.recall import structure_error
from regen.training.graphs import Graphs, graphs_for
from regen.training.quick_adam import QuickAdam, decline


@dataclass(frozen=True)
class DirectSettings:
    """How values are found.

    Attributes:
        steps: Adam steps, at least 1.
        lr: First step size, in standard deviations of each channel, above 0; falls to a tenth.
        structure: Weight of the region's 1 - SSIM beside the L1.
    """

    steps: int = 30
    lr: float = 0.7
    structure: float = 0.05

    def __post_init__(self) -> None:
        if not (self.steps >= 1 and 0 < self.lr < math.inf and 0 <= self.structure < math.inf):
            raise RewriteError(
                "values by gradient steps",
                got=self,
                expected="steps from 1, lr above 0, structure from 0",
            )


@torch.enable_grad()
def direct_values(
    split: Split,
    before: Activation,
    composites: Tensor,
    weights: Tensor,
    mask: Tensor,
    image_mask: Tensor,
    settings: DirectSettings | None = None,
    graphs: Graphs | None = None,
) -> Tensor:
    """The values that decode to composites best, in the targets' own context.

    Args:
        split: The generator, cut; its parameters are not touched.
        before: The targets' own values, T samples.
        composites: What should be decoded, ``[T, 3, H, W]`` in [-1, 1].
        weights: Importance of each pixel, ``[T, 1, H, W]``, see `regen.rewriting.rule`.
        mask: Where the value may change, ``[T, 1, h, w]`` in [0, 1].
        image_mask: The region, ``[T, 1, H, W]`` in [0, 1].
        settings: Steps, step size and the weight of structure.
        graphs: How a step runs, for these values alone; by default it is recorded on a GPU, where
            the family's steps can be.

    Returns:
        ``[T, C, h, w]`` float32.

    Raises:
        RewriteError: If the loss becomes infinite or NaN.
    """
    settings = settings or DirectSettings()
    graphs = graphs or graphs_for(before.features.device, recordable=split.recordable)
    part = _Part(split, None) if graphs.records else _Part.around(split, image_mask)
    wanted, weights, region = (part.cut(t) for t in (composites, weights, image_mask))
    start = before.features.detach().float()
    scale = start.std(dim=(0, 2, 3), keepdim=True)
    scale = mask * scale.clamp_min(1e-3 * float(start.std()) + 1e-12)  # [T, C, h, w]
    shift = torch.zeros_like(start, requires_grad=True)
    adam = QuickAdam([shift], (0.9, 0.99))
    share = settings.structure

    def evaluate() -> tuple[Tensor, ...]:
        """The loss and its gradient: a pure function, see `Graphs`."""
        features = (start + scale * shift).to(before.features.dtype)
        decoded = part.decode(before.with_features(features))
        loss = weighted_l1(decoded, wanted, weights)
        if share:
            loss = loss + share * structure_error(decoded, wanted, region)
        return (loss.detach(), *torch.autograd.grad(loss, [shift]))

    for step in range(settings.steps):
        loss, *gradient = graphs.run("step", evaluate)
        if not math.isfinite(loss.item()):
            raise RewriteError(
                f"values by gradient steps: loss in step {step}",
                got=loss.item(),
                remedy="choose another value layer, or give a projector",
            )
        lr = settings.lr * decline(step / settings.steps)
        adam.step(gradient, lr)
    return (start + scale * shift).detach()


@dataclass(frozen=True)
class _Part:
    """The part of the image that is decoded, equal for all targets; None for the whole."""

    split: Split
    window: Window | None

    @classmethod
    def around(cls, split: Split, image_mask: Tensor) -> _Part:
        """The region and a band around it of an eighth of the image's shorter side."""
        if not isinstance(split, CropSplit) or not bool((image_mask > 0).any()):
            return cls(split, None)
        size, cell = image_mask.shape[2:], split.cell
        left, top, right, bottom = (int(edge) for edge in bounds(image_mask, 0.0))
        band, spans = min(size) // 8, []
        for side, low, high in zip(size, (top, left), (bottom, right), strict=True):
            first = max(0, low - band) // cell * cell
            last = min(side, -(-(high + band) // cell) * cell)
            spans.append((first, last - first))
        (top, height), (left, width) = spans
        return cls(split, Window(top, left, height, width))

    def cut(self, images: Tensor) -> Tensor:
        """This part of images."""
        return images if self.window is None else cut(images, [self.window] * len(images))

    def decode(self, value: Activation) -> Tensor:
        """This part of the images of values, float32."""
        if self.window is not None and isinstance(self.split, CropSplit):
            value = self.split.crop_value(value, [self.window] * len(value.features))
        return self.split.tail(value).float()
