"""How the pattern of one image is moved onto a region of another.

`align` moves the image around one region onto another region: shifted and scaled, antialiased,
shape by shape where both regions have equally many; `moves` says by how much. The outline of what
it gives is that of the other region, or the pattern's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from regen.errors import RegionError
from regen.images.raster import Bounds, warp
from regen.images.regions import Region
from regen.images.transparency import VISIBLE, carry, seen

Outline = Literal["target", "source"]

_FEW = 3  # shapes, whose orders are quickly tried


@dataclass(frozen=True)
class Similarity:
    """A point x of the source comes to lie at scale * x + shift; both are (along x, along y)."""

    scale: tuple[float, float]
    shift: tuple[float, float]


def similarity(
    source: Bounds, target: Bounds, *, uniform: bool = False, within: bool = False
) -> Similarity:
    """The shift and scale that take one box onto another.

    Args:
        source: x0, y0, x1, y1.
        target: The same.
        uniform: Use the larger of the two scales for both axes and match the centres, so that the
            target is covered and nothing is distorted. Otherwise the boxes match exactly.
        within: With `uniform`, use the smaller scale, so that the source stays inside the target.
    """
    sx, sy = (
        (target[axis + 2] - target[axis]) / (source[axis + 2] - source[axis]) for axis in (0, 1)
    )
    if uniform:
        sx = sy = min(sx, sy) if within else max(sx, sy)
    dx, dy = (
        (target[axis] + target[axis + 2] - scale * (source[axis] + source[axis + 2])) / 2
        for axis, scale in ((0, sx), (1, sy))
    )
    return Similarity((sx, sy), (dx, dy))


@dataclass(frozen=True)
class Move:
    """How one shape of a region, or the whole of it, comes to lie on one of another region."""

    part: Region
    target: Region
    by: Similarity


def moves(
    region: Region, onto: Region, *, uniform: bool = False, shape: Outline = "target"
) -> list[Move]:
    """What `align` does for arguments of these names, for each pair of shapes."""
    return [
        Move(
            part,
            target,
            similarity(part.bounds, target.bounds, uniform=uniform, within=shape == "source"),
        )
        for part, target in _pairs(region, onto)
    ]


def align(
    image: Tensor,
    region: Region,
    onto: Region,
    size: tuple[int, int],
    *,
    uniform: bool = False,
    shape: Outline = "target",
    alpha: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Shift and scale an image so that one region of it lies on a region of another image.

    Where both regions have the same number of shapes, at least two, each shape is moved to the one
    in the same relative position (left eye to left eye), and a pixel is taken from the nearest.

    Args:
        image: ``[1, C, H, W]``, an image or features.
        region: In pixels of `image`.
        onto: In pixels of the other image.
        size: Height and width of the other image.
        uniform: One scale for both axes, see `similarity`: the larger where the target's outline
            must be filled, the smaller where the source keeps its own inside the target's region.
        shape: Whose outline the mask has: the target's, or the source's carried along.
        alpha: Opacity of the image, ``[1, 1, H, W]`` in [0, 1], or None where it is opaque. What is
            transparent has no part in the mask, and its colour has none in the carried image.

    Returns:
        The carried image ``[1, C, *size]`` in the range of `image`, whose border is continued
        where it has no pixels; and the mask ``[1, 1, *size]`` in [0, 1]. Under the mask there are
        always pixels, because both regions lie inside their images.

    Raises:
        RegionError: If a region reaches outside its image, or holds nothing that is visible.
    """
    if image.dim() != 4 or image.shape[0] != 1:
        raise RegionError("image to align", got=list(image.shape), expected="[1, C, H, W]")
    height, width = image.shape[2:]
    pixels, nearest = image.new_zeros(1, image.shape[1], *size), torch.tensor(math.inf)
    union = torch.zeros(1, 1, *size)
    for move in moves(region, onto, uniform=uniform, shape=shape):
        move.part.check_inside(height, width)
        scale, shift = move.by.scale, move.by.shift
        mask = move.target.mask(*size)
        if shape == "source" or alpha is not None:
            own = _visible(move.part, height, width, alpha, whole=shape == "target")
            own = warp(own, size, scale, shift, "linear", "zero")
            mask = own if shape == "source" else torch.minimum(mask, own)
        union = torch.maximum(union, mask)
        distance = _distance(move.target.bounds, size) - mask
        if alpha is None:
            carried = warp(image, size, scale, shift)
        else:
            carried = carry(image, alpha.to(image), size, scale, shift)
        pixels = torch.where((distance < nearest).to(image.device), carried, pixels)
        nearest = torch.minimum(distance, nearest)
    return pixels, union.to(image)


def _visible(part: Region, height: int, width: int, alpha: Tensor | None, *, whole: bool) -> Tensor:
    """What is visible of a region's shape, or of the `whole` image: ``[1, 1, H, W]`` in [0, 1]."""
    own = part.mask(height, width)
    visible = torch.ones_like(own) if alpha is None else alpha.cpu()
    shown = seen(own, visible)
    if shown.amax() < VISIBLE:
        raise RegionError(
            "exemplar: nothing of its region is visible",
            expected="a region where the image is not transparent",
        )
    return visible if whole else shown


def _pairs(region: Region, onto: Region) -> list[tuple[Region, Region]]:
    """Shapes in the same relative position; the whole regions where their numbers differ."""
    parts, targets = region.split(), onto.split()
    if len(parts) != len(targets) or len(parts) == 1:
        return [(region, onto)]
    away = _relative_centres(parts)[:, None] - _relative_centres(targets)[None]
    columns = _assigned(np.linalg.norm(away, axis=2))
    return [(part, targets[column]) for part, column in zip(parts, columns, strict=True)]


def _assigned(costs: np.ndarray) -> Sequence[int]:
    """For each row of ``[P, P]`` another column, so that the sum of the chosen is the least."""
    if len(costs) <= _FEW:
        orders = permutations(range(len(costs)))
        return min(orders, key=lambda columns: costs[range(len(costs)), columns].sum())
    from scipy.optimize import linear_sum_assignment  # a third of a second

    _, found = linear_sum_assignment(costs)
    columns: list[int] = found.tolist()
    return columns


def _relative_centres(parts: list[Region]) -> np.ndarray:
    """``[P, 2]``: centres in units of the box around them all, measured from its centre."""
    x0, y0, x1, y1 = Region.union(parts).bounds
    boxes = np.array([part.bounds for part in parts])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    away: np.ndarray = centres - [(x0 + x1) / 2, (y0 + y1) / 2]
    return away / math.hypot(x1 - x0, y1 - y0)


def _distance(box: Bounds, size: tuple[int, int]) -> Tensor:
    """``[1, 1, *size]``: distance of each pixel's centre from a box, in pixels."""
    x, y = (torch.arange(count) + 0.5 for count in (size[1], size[0]))
    away_x = (box[0] - x).clamp_min(0) + (x - box[2]).clamp_min(0)
    away_y = (box[1] - y).clamp_min(0) + (y - box[3]).clamp_min(0)
    return torch.hypot(away_x, away_y[:, None])[None, None]
