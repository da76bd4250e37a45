"""Is the map where it should be? What can be said of where a rule will act, before any fit.

Shapes: T targets; N unseen samples; H, W their height and width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from regen.images.regions import resize_mask
from regen.metrics.verdict import MISSED_BELOW
from regen.rewriting.key_similarity import SLACK

NEAR = 1 / 12
"""How far from a region, in sides of the image, is not away from it: about what one key sees."""
SPOT = 1 / 16
"""Side of a spot, in sides of the image: a pupil with its iris."""
_CELLS = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


class Spill(NamedTuple):
    """What of a map lies away from the regions that it belongs to.

    Attributes:
        share: Of all of the map, from 0 to 1.
        peak: How strong the map is at its strongest spot there, as a share of how strong it is
            inside the regions. A second eye shows here, whose share is small.
        where: The part of the image where most of it is, "top left" for instance.
    """

    share: float
    peak: float
    where: str


def spill(maps: Tensor, regions: Tensor) -> Spill:
    """Measure how much of a map lies away from its regions.

    Args:
        maps: ``[T, 1, H, W]`` in [0, 1].
        regions: ``[T, 1, H, W]`` in [0, 1].
    """
    shorter = min(maps.shape[-2:])
    away = maps * (1 - _grown(regions, max(1, round(NEAR * shorter))))
    cells = resize_mask(away.mean(dim=0, keepdim=True), 3, 3)[0, 0]
    row, column = divmod(int(cells.argmax()), 3)
    inside = (maps * regions).sum(dim=(1, 2, 3)) / regions.sum(dim=(1, 2, 3)).clamp_min(1e-9)
    side = max(1, round(SPOT * shorter))
    spots = F.avg_pool2d(away, side, stride=1).amax(dim=(1, 2, 3))
    return Spill(
        share=float(away.sum() / maps.sum().clamp_min(1e-9)),
        peak=float((spots / inside.clamp_min(1e-9)).clamp(max=1).mean()),
        where=_CELLS[row][column],
    )


def missed(maps: Tensor, target_maps: Tensor, regions: Tensor, border: int) -> float:
    """Share of N samples on which the map covers much less than it should.

    The edge of the map is chosen so that it covers `SLACK` times the area of the targets' region
    on an average sample, and so much each sample should have, less where not even the targets' own
    map fills their region. That map also covers a border, where positions see part of the region:
    the border of a thin line is several times the line, and no sample that is not a target has as
    much. So the map of the targets is compared with their region and its border together.

    Args:
        maps: Of unseen samples, ``[N, 1, H, W]`` in [0, 1].
        target_maps: ``[T, 1, H, W]`` in [0, 1].
        regions: What is replaced, ``[T, 1, H, W]`` in [0, 1].
        border: Pixels between two positions of the keys.

    Returns:
        From 0 to 1.
    """
    filled = target_maps.sum() / _grown(regions, border).sum().clamp_min(1)
    least = MISSED_BELOW * SLACK * filled * regions.mean()
    return float((maps.mean(dim=(1, 2, 3)) < least).float().mean())


def _grown(regions: Tensor, pixels: int) -> Tensor:
    return F.max_pool2d((regions > 0.5).float(), 2 * pixels + 1, 1, pixels)
