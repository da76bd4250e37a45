"""Resample images that are transparent in places, so that no colour of a transparent pixel shows.

What an image file stores under full transparency means nothing, and is often white or black.
Colours are therefore weighted by their opacity when several pixels become one (premultiplied, as
Porter and Duff 1984 have it), and continued from the nearest visible pixel where there are none, so
that the edge of what is pasted may be softened.

Shapes: C channels, of an image or of features; H, W the image; h, w the result.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.images.raster import warp

VISIBLE = 1 / 510  # opacity, below which eight bits say 0
_FAINTEST = 1e-4  # weight of what is not visible
_SOLID = 0.999


def seen(mask: Tensor, alpha: Tensor) -> Tensor:
    """What is visible of a mask, both ``[1, 1, H, W]`` in [0, 1].

    Not their product: a mask may be the same alpha channel.
    """
    return torch.minimum(mask, alpha.to(mask))


def continued(image: Tensor, alpha: Tensor) -> Tensor:
    """The image with the colour of the nearest visible pixel wherever a pixel is not visible.

    Args:
        image: ``[1, C, H, W]``.
        alpha: Opacity ``[1, 1, H, W]`` in [0, 1], visible somewhere.
    """
    hidden = alpha[0, 0].detach().cpu().numpy() < VISIBLE
    if not hidden.any():
        return image
    from scipy.ndimage import distance_transform_edt  # slow to import, and seldom needed

    y, x = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    rows, columns = (torch.from_numpy(index).long().to(image.device) for index in (y, x))
    return image[:, :, rows, columns]


def carry(
    image: Tensor,
    alpha: Tensor,
    size: tuple[int, int],
    scale: tuple[float, float],
    shift: tuple[float, float],
) -> Tensor:
    """`warp` for the colours of an image that is transparent in places.

    Args:
        image: ``[1, C, H, W]``.
        alpha: Opacity ``[1, 1, H, W]`` in [0, 1], visible somewhere.
        size: Height and width of the result, in pixels.
        scale: Along x and along y, above 0.
        shift: Along x and along y, in pixels of the result.

    Returns:
        ``[1, C, h, w]`` within the range of the visible colours; equal to what `warp` makes of the
        image wherever it is opaque.
    """
    colours = continued(image, alpha)
    weights = alpha.clamp_min(_FAINTEST)
    summed = warp(colours * weights, size, scale, shift, "linear")
    mixed = summed / warp(weights, size, scale, shift, "linear")
    solid = warp(alpha, size, scale, shift, "linear", "zero") > _SOLID
    return torch.where(solid, warp(colours, size, scale, shift), mixed)
