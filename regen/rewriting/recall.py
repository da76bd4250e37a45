"""How well a memory recalls what it should.

Shapes: N samples; H, W height and width of the image.
"""

from __future__ import annotations

from torch import Tensor

from regen.losses import ssim_loss

_WINDOW = 7  # of SSIM; smaller than the usual one, since regions are small


def structure_error(images: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """`ssim_loss` of a region, relative to its area.

    Everything outside the region is made equal first. SSIM compares local contrast and structure,
    and so keeps fine dark and light detail that an L1 would average to grey.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        wanted: ``[N, 3, H, W]`` in [-1, 1].
        mask: The region, ``[N, 1, H, W]`` in [0, 1].

    Returns:
        A scalar from 0 (equal) to about 2, differentiable in `images`.
    """
    blended = wanted + mask * (images.float() - wanted)
    height, width = mask.shape[2:]
    positions = max(height - _WINDOW + 1, 1) * max(width - _WINDOW + 1, 1)
    errors = ssim_loss(blended, wanted, window=_WINDOW, per_image=True) * positions
    return (errors / mask.sum(dim=(1, 2, 3)).clamp_min(1e-6)).mean()
