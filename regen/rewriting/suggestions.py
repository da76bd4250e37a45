"""Regions that keys suggest: the part around a point, and the same part of other samples.

What a generator makes in the same way has similar keys (`regen.rewriting.key_similarity`), so the
part of a sample that a point lies on is where keys resemble those at the point. No label and no
detector is involved; a named region, where the generator's oracle has one, is better.

Shapes: K, kh, kw channels and size of the key; H, W of the image; S other samples.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.rewriting.key_similarity import match_whitened

_ALIKE = 0.35  # cosine from which a position counts as the same part
_SURE = 0.5  # with which positions the part is looked for again, so that it is found whole
_TWIN = 0.75  # cosine from which a separate part, such as the other eye, is included
_SLOPE = 0.05
_AREA = 1.15  # of a part in another sample, as a multiple of its area in the first


def part_at(
    white: Tensor, keys: Tensor, point: tuple[float, float], size: tuple[int, int]
) -> Tensor:
    """The part of a sample that a point lies on.

    Args:
        white: C^(-1/2) of the generator's keys, ``[K, K]``.
        keys: The sample's, ``[1, K, kh, kw]``.
        point: x and y as shares of the image's width and height, in [0, 1].
        size: H and W.

    Returns:
        A soft mask ``[1, 1, H, W]`` in [0, 1].
    """
    height, width = keys.shape[2:]
    row, column = (min(int(p * n), n - 1) for p, n in ((point[1], height), (point[0], width)))
    seed = torch.zeros(1, 1, height, width)
    seed[0, 0, row, column] = 1
    first = match_whitened(white, keys, seed).similarity(keys)[0, 0].cpu()
    whole = torch.from_numpy(_connected(first.numpy(), (row, column), _SURE)).float()[None, None]
    similarity = match_whitened(white, keys, torch.maximum(whole, seed)).similarity(keys)
    fine = F.interpolate(similarity.cpu(), size=size, mode="bicubic", align_corners=False)
    at = min(int(point[1] * size[0]), size[0] - 1), min(int(point[0] * size[1]), size[1] - 1)
    near = torch.from_numpy(_connected(fine[0, 0].numpy(), at, _ALIKE, twins=_TWIN))
    return torch.sigmoid((fine - _ALIKE) / _SLOPE) * near


def _connected(
    similarity: np.ndarray, at: tuple[int, int], least: float, twins: float = np.inf
) -> np.ndarray:
    """Positions above `least` that are connected to one of them, and parts that reach `twins`."""
    from scipy.ndimage import label  # a third of a second

    labels, count = label(similarity > min(least, similarity[at]), np.ones((3, 3)))
    kept = labels == labels[at] if labels[at] else np.zeros(similarity.shape, bool)
    for part in range(1, count + 1):
        if similarity[labels == part].max() > twins:
            kept |= labels == part
    kept[at] = True
    found: np.ndarray = kept
    return found


def same_part(
    white: Tensor, keys: Tensor, region: Tensor, others: Tensor, size: tuple[int, int]
) -> Tensor:
    """A region of one sample, found in others.

    Args:
        white: C^(-1/2) of the generator's keys.
        keys: Of the sample, ``[1, K, kh, kw]``.
        region: Of the sample, ``[1, 1, H, W]`` in [0, 1].
        others: Keys of the other samples, ``[S, K, kh, kw]``.
        size: H and W.

    Returns:
        Soft masks ``[S, 1, H, W]`` in [0, 1].

    Raises:
        RewriteError: If the region covers no key.
    """
    matcher = match_whitened(white, keys, region)
    return torch.cat([matcher.mask(one[None], size, slack=_AREA) for one in others]).cpu()
