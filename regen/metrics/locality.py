"""Did a rewrite change what it should, and only that?

Distances are measured inside a *region* and outside of it. LPIPS looks at neighbourhoods, so the
LPIPS of a region is that of two images in which all else is painted the same mid grey. L1 is the
mean absolute difference on [-1, 1], with each pixel weighted by the mask. Both are means
over all images; a distance is `{"lpips": ..., "l1": ...}`, LPIPS None without its weights.

The *oracle* is the exact image that a perfect rewrite would make; only a renderer can know it.
"""

from __future__ import annotations

from torch import Tensor

from regen.errors import MetricError
from regen.losses import weighted_l1
from regen.metrics._check import check_pair
from regen.metrics.perceptual import Lpips

Distance = dict[str, float | None]


def masked_distance(a: Tensor, b: Tensor, mask: Tensor, lpips: Lpips | None) -> Distance:
    """Distance of two batches of images where `mask` is 1.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1].
        b: Images of the same shape.
        mask: ``[N, 1, H, W]`` in [0, 1], soft edges allowed; N may be 1 for a mask they all share.
        lpips: From `load_lpips`, or None to leave LPIPS out.

    Returns:
        `lpips`: mean over the images, or None. `l1`: mean over the masked pixels of all.

    Raises:
        MetricError: If shapes do not match, the mask is empty or not within [0, 1], or the images
            are not within [-1, 1].
    """
    check_pair("distance in a region", a, b)
    mask = _checked_mask(mask, a)
    perceived = None if lpips is None else lpips(a * mask, b * mask).mean().item()
    return {"lpips": perceived, "l1": weighted_l1(a, b, mask).item()}


def masked_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """L1 of each pair of images where `mask` is 1, for intervals.

    Pixels count within their own image only, so where masks differ in size the mean of this is
    not the L1 of `masked_distance`.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1].
        b: Images of the same shape.
        mask: ``[N, 1, H, W]`` or ``[1, 1, H, W]`` in [0, 1].

    Returns:
        Means over the masked pixels, ``[N]``.

    Raises:
        MetricError: As `masked_distance`, or if the mask of any image is empty.
    """
    check_pair("distance in a region", a, b)
    mask = _checked_mask(mask, a)
    areas = mask.sum(dim=(1, 2, 3))
    if bool((areas == 0).any()):
        empty = int((areas == 0).nonzero()[0])
        raise MetricError(f"region: the mask of image {empty} is 0 everywhere")
    return (mask * (a - b).abs()).sum(dim=(1, 2, 3)) / (a.shape[1] * areas)


def masked_lpips(a: Tensor, b: Tensor, mask: Tensor, lpips: Lpips) -> Tensor:
    """LPIPS of each pair of images with all but the mask painted grey, ``[N]``, for intervals.

    Its mean is the LPIPS of `masked_distance`, whose arguments and errors these are.
    """
    check_pair("distance in a region", a, b)
    mask = _checked_mask(mask, a)
    return lpips(a * mask, b * mask)


def _checked_mask(mask: Tensor, images: Tensor) -> Tensor:
    """`mask` as ``[N, 1, H, W]``; raises MetricError if it is not a mask of the images."""
    n, _, height, width = images.shape
    if mask.shape not in ((n, 1, height, width), (1, 1, height, width)):
        raise MetricError(
            "region: does not fit the images",
            got=list(mask.shape),
            expected=f"[{n}, 1, {height}, {width}]",
        )
    if mask.min() < 0 or mask.max() > 1:
        raise MetricError(
            "region: is not a mask",
            got=f"values from {mask.min():.3g} to {mask.max():.3g}",
            expected="values in [0, 1]",
        )
    if mask.sum() == 0:
        raise MetricError(
            "region: nothing to measure, the mask is 0 everywhere",
            remedy="give a region that covers part of the images, but not all of every one",
        )
    return mask.expand(n, 1, height, width)
