"""Shapes as signed distances, and the paint inside them.

A signed distance is negative inside a shape, positive outside and measured in 1/128 of the
image's side, whatever the resolution; `px` is the side of a pixel in that unit. Grids are
``[N, 1, H, W]``, colours ``[N, 3, 1, 1]`` or ``[N, 3, H, W]`` in [0, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor


def ellipse(x: Tensor, y: Tensor, rx: Tensor | float, ry: Tensor | float) -> Tensor:
    """Signed distance to an ellipse around the origin, exact on its outline to first order."""
    a, b = x / rx, y / ry
    radius = torch.sqrt(a * a + b * b + 1e-6)
    c, d = a / rx, b / ry
    return radius * (radius - 1) * torch.rsqrt(c * c + d * d + 1e-9)


def circle(x: Tensor, y: Tensor, r: Tensor | float) -> Tensor:
    """Signed distance to a circle around the origin."""
    return torch.sqrt(x * x + y * y + 1e-6) - r


def segment(
    x: Tensor, y: Tensor, start: tuple[float, float], end: tuple[float, float], r: Tensor | float
) -> Tensor:
    """Signed distance to a line between two points, `r` to each side, with round ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)
    along = along.clamp(0, 1)
    return circle(x - start[0] - along * dx, y - start[1] - along * dy, r)


def both(*distances: Tensor) -> Tensor:
    """The shape common to all."""
    shape = distances[0]
    for other in distances[1:]:
        shape = torch.maximum(shape, other)
    return shape


def either(*distances: Tensor) -> Tensor:
    """The shape they cover together."""
    shape = distances[0]
    for other in distances[1:]:
        shape = torch.minimum(shape, other)
    return shape


def cover(distance: Tensor, px: float) -> Tensor:
    """How much of each pixel lies inside a shape, in [0, 1]."""
    return (0.5 - distance / px).clamp(0, 1)


def soft(distance: Tensor, width: float) -> Tensor:
    """A soft-edged shape: 1 deep inside, 0 outside, smooth over `width` around the outline."""
    t = (0.5 - distance / width).clamp(0, 1)
    return t * t * (3 - 2 * t)


def over(image: Tensor, colour: Tensor | float, alpha: Tensor) -> Tensor:
    """Paint `colour` over `image` with opacity `alpha`; where that is 0 nothing changes."""
    return image + (colour - image) * alpha


def rgb(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    """One colour ``[1, 3, 1, 1]`` of the dtype and on the device of another tensor."""
    colour = torch.tensor([red, green, blue], dtype=like.dtype, device=like.device)
    return colour.reshape(1, 3, 1, 1)
