"""An example of a rule, and its composite: the exemplar's pattern pasted into the target's image.

The outline of what is pasted is the pattern's own where the exemplar says it, by its opacity or by
a mask, and otherwise that of the target's region.

Shapes: N images; H, W height and width of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from regen.generators.split import Latent
from regen.images.alignment import Outline, align, moves
from regen.images.blending import blended
from regen.images.raster import size_of
from regen.images.regions import Region, feather, paste
from regen.rewriting.settings import RuleSettings


@dataclass(frozen=True)
class Example:
    """One target with the exemplar whose region it should receive.

    Attributes:
        exemplar: ``[1, 3, H, W]`` in [-1, 1].
        exemplar_region: Where the pattern is, in pixels of `exemplar`.
        latent: The target sample, N = 1.
        target_region: Where the pattern goes, in pixels of the target's image.
        exemplar_label: Name of the exemplar, to display.
        target_label: Name of the target, to display.
        alpha: Opacity of the exemplar, ``[1, 1, H, W]`` in [0, 1], or None where it is opaque.
        drawn: Whether the exemplar's region is a mask of the pattern itself, not only a shape
            around it.
        guide: Where the target can change, ``[1, 1, H, W]`` of 0 and 1; None for everywhere. A
            projector may ask for it, see `regen.projector.guide`.
        area: Of `target_region`, as a share of the target's image.
    """

    exemplar: Tensor
    exemplar_region: Region
    latent: Latent
    target_region: Region
    exemplar_label: str = ""
    target_label: str = ""
    alpha: Tensor | None = None
    drawn: bool = False
    guide: Tensor | None = None
    area: float = 0.0

    @property
    def shown(self) -> Tensor:
        """The exemplar to look at, transparent parts on white, ``[1, 3, H, W]``."""
        if self.alpha is None:
            return self.exemplar
        return paste(torch.ones_like(self.exemplar), self.exemplar, self.alpha)

    def outline(self, shape: str) -> Outline:
        """Whose outline the pattern has, for a `shape` of `RuleSettings`: the exemplar's or not."""
        own = self.drawn or self.alpha is not None
        return "source" if shape == "exemplar" or (shape == "auto" and own) else "target"


def compose(
    example: Example, images: Tensor, settings: RuleSettings, onto: Region | None = None
) -> tuple[Tensor, Tensor]:
    """Paste the pixels of an exemplar into images of its target's size.

    Args:
        example: Whose pattern is pasted.
        images: ``[N, 3, H, W]`` in [-1, 1].
        settings: How to align and paste.
        onto: The region that it takes over in all of them; by default the target's.

    Returns:
        The composites ``[N, 3, H, W]``, and the mask of what was replaced, ``[1, 1, H, W]``.

    Raises:
        RegionError: If a region reaches outside its image, or nothing of the pattern is visible.
    """
    aligned, hard = align(
        example.exemplar.to(images),
        example.exemplar_region,
        onto or example.target_region,
        size_of(images),
        uniform=settings.scale == "uniform",
        shape=example.outline(settings.shape),
        alpha=example.alpha,
    )
    soft = feather(hard, settings.feather_px) if settings.feather_px else hard
    return paste(images, blended(aligned, images, hard, settings.blend), soft), soft


def enlargement(example: Example, settings: RuleSettings) -> float:
    """How many times `compose` enlarges an exemplar: the most of its shapes, along either axis."""
    found = moves(
        example.exemplar_region,
        example.target_region,
        uniform=settings.scale == "uniform",
        shape=example.outline(settings.shape),
    )
    return max(max(move.by.scale) for move in found)
