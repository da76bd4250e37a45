"""Holes: what a person hides of an image, and random ones to train and measure on.

A hole is a mask ``[1, 1, H, W]``, 1 where pixels are to be filled and 0 where they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Part = Callable[[str], Tensor]  # the mask of a named part of the image, as a hole
_SHARES = {"box": 0.2, "ellipse": 0.1, "stroke": 0.15, "part": 0.55}


def grown(hole: Tensor, pixels: int) -> Tensor:
    """The hole and all pixels at most as many away from it, diagonally too."""
    if pixels < 1:
        return hole
    return F.max_pool2d(hole, 2 * pixels + 1, stride=1, padding=pixels)


def boxed(hole: Tensor) -> Tensor:
    """The smallest box around a hole; an empty hole stays empty."""
    rows = torch.cummax(hole.amax(3, keepdim=True), dim=2).values
    columns = torch.cummax(hole.amax(2, keepdim=True), dim=3).values
    up, left = hole.amax(3, keepdim=True).flip(2), hole.amax(2, keepdim=True).flip(3)
    rows = rows * torch.cummax(up, dim=2).values.flip(2)
    return rows * columns * torch.cummax(left, dim=3).values.flip(3)


def random_hole(
    seed: int, size: tuple[int, int], parts: Sequence[str] = (), part: Part | None = None
) -> Tensor:
    """A hole of a random kind: a box, an ellipse, a stroke, or a named part of the image.

    Args:
        seed: 0 to 2**32 - 1; equal seeds give equal holes on every machine.
        size: Height and width.
        parts: Names of parts, the likeliest several times; none for images without parts.
        part: Gives the mask of one.

    Returns:
        ``[1, 1, H, W]``, with at least one pixel where the parts have some.
    """
    random = np.random.RandomState(seed)
    kinds = list(_SHARES)[: 4 if parts else 3]
    shares = np.array([_SHARES[kind] for kind in kinds])
    kind = kinds[random.choice(len(kinds), p=shares / shares.sum())]
    if kind == "part":
        assert part is not None
        hole = grown(part(parts[random.randint(len(parts))]), int(random.randint(1, 4)))
        return boxed(hole) if random.randint(2) else hole
    if kind == "stroke":
        return _stroke(random, size)
    return _centred(random, size, round_=kind == "ellipse")


def _centred(random: np.random.RandomState, size: tuple[int, int], *, round_: bool) -> Tensor:
    """A box or an ellipse, an eighth to almost half of the shorter side across."""
    side = min(size)
    height, width = random.uniform(side / 8, side * 15 / 32, 2)
    y, x = (
        random.uniform(height / 2, size[0] - height / 2),
        random.uniform(width / 2, size[1] - width / 2),
    )
    down, across = _grid(size)
    down, across = (down - y).abs() / (height / 2), (across - x).abs() / (width / 2)
    inside = down.square() + across.square() if round_ else torch.maximum(down, across)
    return (inside <= 1).float()[None, None]


def _stroke(random: np.random.RandomState, size: tuple[int, int]) -> Tensor:
    """Two to five segments of a thick line."""
    side = min(size)
    radius = random.uniform(side / 32, side / 12)
    point = random.uniform(0.1, 0.9, 2) * size
    down, across = _grid(size)
    hole = torch.zeros(size)
    for _ in range(random.randint(2, 6)):
        angle, length = random.uniform(0, 2 * np.pi), random.uniform(side / 8, side / 3)
        end = np.clip(point + length * np.array([np.sin(angle), np.cos(angle)]), 0, size)
        hole = torch.maximum(hole, _near(down, across, point, end, radius))
        point = end
    return hole[None, None]


def _near(
    down: Tensor, across: Tensor, start: np.ndarray, end: np.ndarray, radius: float
) -> Tensor:
    """Pixels within `radius` of a line between two points (y, x)."""
    dy, dx = float(end[0] - start[0]), float(end[1] - start[1])
    y, x = down - float(start[0]), across - float(start[1])
    along = ((y * dy + x * dx) / max(dy * dy + dx * dx, 1e-6)).clamp(0, 1)
    return ((y - along * dy).square() + (x - along * dx).square() <= radius**2).float()


def _grid(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Centres of pixels, down ``[H, 1]`` and across ``[1, W]``."""
    return torch.arange(size[0])[:, None] + 0.5, torch.arange(size[1])[None] + 0.5
