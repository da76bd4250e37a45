"""How faithfully one image repeats another: PSNR and SSIM, one number an image."""

from __future__ import annotations

from torch import Tensor

from regen import losses
from regen.metrics._check import check_pair

SMALLEST = losses.SSIM_WINDOW


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, 10 log10(range^2 / MSE) with a range of 2.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1].
        b: Images of the same shape.

    Returns:
        Decibels ``[N]``, higher is closer; infinite where two images are equal.

    Raises:
        MetricError: If the shapes do not match, or these are not images in [-1, 1].

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
    brought to [0, 1] first, as for every published value. On [-1, 1] itself it would be wrong.

    Args:
        a: Images ``[N, 3, H, W]`` in [-1, 1], at least 11 pixels high and wide.
        b: Images of the same shape.

    Returns:
        Similarity ``[N]``, 1 for equal images, differentiable once in both.

    Raises:
        MetricError: If the shapes do not match, a side is below 11 pixels, or these are not images
            in [-1, 1].
    """
    check_pair("SSIM", a, b, least=SMALLEST)
    return losses.ssim(a, b, per_image=True)
