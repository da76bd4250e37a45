"""How well a memory recalls what it should.

Shapes: N samples; C, h, w the value; R side of the image.
"""

from __future__ import annotations

import pytorch_msssim
import torch
from torch import Tensor

from regen.errors import RewriteError


def recall_error(recalled: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean absolute difference, averaged over channels, in float32 or wider.

    Args:
        recalled: What the memory answers, ``[N, C, h, w]``.
        wanted: What it shall answer, ``[N, C, h, w]``.
        weights: Importance of each position, ``[N, 1, h, w]``, at least 0.

    Returns:
        A scalar in the units of `recalled`, differentiable in it.

    Raises:
        RewriteError: If `recalled` and `wanted` differ in shape.

    Example:
        >>> weights = torch.tensor([[[[3.0, 0.0]]]])  # the second position is free
        >>> recall_error(torch.tensor([[[[1.0, 9.0]]]]), torch.zeros(1, 1, 1, 2), weights).item()
        1.0
    """
    if recalled.shape != wanted.shape:
        raise RewriteError(
            "memory and rule differ in shape",
            got=f"recalled {list(recalled.shape)}",
            expected=f"{list(wanted.shape)}",
            remedy="was the rule made for another value layer?",
        )
    wide = torch.promote_types(recalled.dtype, torch.float32)
    error = (weights * (recalled.to(wide) - wanted.to(wide)).abs()).sum()
    return error / (wanted.shape[1] * weights.sum().clamp_min(1e-8))


def structure_error(images: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004) of a region, relative to its area.

    Everything outside the region is made equal first. SSIM compares local contrast and structure,
    and so keeps fine dark-and-light detail that an L1 settles by a grey in between.

    Args:
        images: ``[N, 3, R, R]`` in [-1, 1], R at least 7.
        wanted: ``[N, 3, R, R]`` in [-1, 1].
        mask: The region, ``[N, 1, R, R]`` in [0, 1].

    Returns:
        A scalar from 0 (equal) to about 2, differentiable in `images`.
    """
    blended = wanted + mask * (images.float() - wanted)
    similarity = pytorch_msssim.ssim(
        (blended + 1) / 2, (wanted + 1) / 2, data_range=1, size_average=False, win_size=7
    )
    area = mask.mean(dim=(1, 2, 3)).clamp_min(1e-6)
    return ((1 - similarity) / area).mean()
