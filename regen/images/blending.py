"""Fit the light of a pasted pattern to the image around it, so that its seam shows less.

Shapes: N images; H, W their height and width.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Blend = Literal["none", "gain", "poisson"]

_REACH = 1 / 64  # of the image's side: how far from the seam light is compared
_FLOOR = 0.02  # light added on both sides, so that black has a ratio too
_BRIGHT = 0.98  # share of the pattern's pixels that may not be brighter than white
_LEAST_GAIN = 1 / 3


def blended(pasted: Tensor, images: Tensor, mask: Tensor, blend: Blend) -> Tensor:
    """A pattern with its light fitted to each image.

    Args:
        pasted: The pattern where it belongs, ``[1, 3, H, W]`` in [-1, 1].
        images: What it is pasted into, ``[N, 3, H, W]`` in [-1, 1].
        mask: Where, ``[1, 1, H, W]`` in [0, 1].
        blend: "gain" brightens or darkens the whole pattern, "poisson" shifts its colours so that
            they agree at the seam; "none" changes nothing.

    Returns:
        ``[N, 3, H, W]``, or `pasted` itself, in [-1, 1].
    """
    if blend == "none" or not bool((mask > 0.5).any()):
        return pasted
    return _gain(pasted, images, mask) if blend == "gain" else _poisson(pasted, images, mask)


def _gain(pasted: Tensor, images: Tensor, mask: Tensor) -> Tensor:
    """Scale the pattern so that the light inside of its rim is that just outside of it.

    No more than leaves nearly all of its pixels below white.
    """
    reach = max(2, round(_REACH * min(mask.shape[-2:])))
    outside = _grown(mask, reach) - _grown(mask, 1)
    rim = mask + _grown(-mask, reach)
    light, around = (pasted + 1) / 2, (images + 1) / 2
    ratio = (_mean(around, outside) + _FLOOR) / (_mean(light, rim) + _FLOOR)
    brightest = light.amax(dim=1, keepdim=True)[mask > 0.5].quantile(_BRIGHT)
    most = 1 / float(brightest.clamp_min(_FLOOR))
    gain = ratio.clamp(_LEAST_GAIN, max(most, _LEAST_GAIN))
    return (2 * light * gain.view(-1, 1, 1, 1) - 1).clamp(-1, 1)


def _poisson(pasted: Tensor, images: Tensor, mask: Tensor) -> Tensor:
    """Seamless cloning (Perez et al. 2003): the pattern's gradients, the image's border.

    The pattern plus a membrane: inside of the mask it is harmonic, at its border it is the
    difference of image and pattern.
    """
    from scipy.sparse import coo_matrix  # slow to import, and seldom needed
    from scipy.sparse.linalg import splu

    inside = (mask[0, 0] > 0).cpu().numpy()
    inside[[0, -1], :] = inside[:, [0, -1]] = False  # where there is no border to agree with
    rows, columns = np.nonzero(inside)
    if len(rows) == 0:
        return pasted
    number = np.full(inside.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    difference = (images - pasted).detach().cpu().double().flatten(0, 1).numpy()  # [3N, H, W]
    entries = [(np.arange(len(rows)), np.arange(len(rows)), np.full(len(rows), 4.0))]
    known = np.zeros((len(rows), len(difference)))
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = rows + down, columns + right
        inner = number[y, x] >= 0
        entries.append((np.flatnonzero(inner), number[y, x][inner], np.full(inner.sum(), -1.0)))
        known[~inner] += difference[:, y[~inner], x[~inner]].T
    i, j, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    matrix = coo_matrix((values, (i, j)), shape=(len(rows), len(rows))).tocsc()
    membrane = np.zeros_like(difference)
    membrane[:, rows, columns] = splu(matrix).solve(known).T
    shift: Tensor = torch.from_numpy(membrane).to(images).reshape(images.shape)
    return (pasted + shift).clamp(-1, 1)


def _grown(mask: Tensor, pixels: int) -> Tensor:
    return F.max_pool2d(mask, 2 * pixels + 1, stride=1, padding=pixels)


def _mean(images: Tensor, weights: Tensor) -> Tensor:
    """Mean light ``[N]`` of images ``[N, 3, H, W]`` where the weights are."""
    grey = images.mean(dim=1, keepdim=True)
    return (grey * weights).sum(dim=(1, 2, 3)) / weights.sum().clamp_min(1e-6)
