"""How faithfully one image repeats another: PSNR and SSIM, one number an image."""

from __future__ import annotations

import pytorch_msssim
from torch import Tensor

from regen.metrics._check import check_pair

SMALLEST = 11  # the side of SSIM's Gaussian window


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, 10 log10(range^2 / MSE) with a range of 2.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1].
        b: Images of the same shape.

    Returns:
        Decibels ``[N]``, higher is closer; infinite where two images are equal.

    Raises:
        MetricError: If the shapes do not match.

    Example:
        >>> import torch
        >>> psnr(torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.2)).round().tolist()
        [20.0]
    """
    check_pair("PSNR", a, b)
    return 10 * (4 / (a - b).square().mean(dim=(1, 2, 3))).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004): 11x11 Gaussian window, sigma 1.5, mean over RGB.

    SSIM compares means as ratios, so it must see light as a positive quantity: the images are
    brought to [0, 1] first, as in every published figure. On [-1, 1] itself it would be wrong.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1], at least 11 pixels high and wide.
        b: Images of the same shape.

    Returns:
        Similarity ``[N]``, 1 for equal images, differentiable once in both.

    Raises:
        MetricError: If the shapes do not match, or a side is below 11 pixels.
    """
    check_pair("SSIM", a, b, least=SMALLEST)
    return pytorch_msssim.ssim((a + 1) / 2, (b + 1) / 2, data_range=1.0, size_average=False)
