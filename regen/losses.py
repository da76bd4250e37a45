"""Losses that more than one training minimises, each a pure function of tensors.

Nothing here knows a network. Logits are a discriminator's, unbounded, positive for "real".

Shapes: N images or features; C channels; h, w their height and width.
"""

from __future__ import annotations

from functools import cache

import pytorch_msssim
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import ShapeError

SSIM_WINDOW = 11  # side of SSIM's Gaussian window in pixels, where the image is that large
_SSIM_DEVIATION = 1.5  # of the window, in pixels


def weighted_l1(a: Tensor, b: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean absolute difference, weighted by position.

    With weights p inside a region and q outside of it this is Eq. (11) of the paper, section 4.2;
    without weights it is the L1 of section 4.1.2.

    Args:
        a: Features or images ``[N, C, h, w]``.
        b: The same shape.
        weights: Importance of each position, ``[N, 1, h, w]``, at least 0; only their ratios
            matter. None weights all positions equally.

    Returns:
        ``sum(weights |a - b|) / (C sum(weights))``, a scalar in the units of `a`, in float32 or
        wider; 0 where all weights are 0. Differentiable in `a` and `b`.

    Raises:
        ShapeError: If the shapes do not fit.

    Example:
        >>> weights = torch.tensor([[[[3.0, 0.0]]]])  # the second position is free
        >>> weighted_l1(torch.tensor([[[[1.0, 9.0]]]]), torch.zeros(1, 1, 1, 2), weights).item()
        1.0
    """
    fits = weights is None or weights.shape == a[:, :1].shape
    if a.dim() != 4 or a.shape != b.shape or not fits:
        raise ShapeError(
            "L1: the shapes do not fit",
            got=_shapes(a, b, weights),
            expected="[N, C, h, w] twice, weights [N, 1, h, w]",
        )
    wide = torch.promote_types(a.dtype, torch.float32)
    a, b = a.to(wide), b.to(wide)
    if weights is None:
        return F.l1_loss(a, b)
    # The channels are summed first: it is less work, and a gradient that is the same for all of
    # them takes on the memory format of the features.
    difference = (weights * (a - b).abs().sum(dim=1, keepdim=True)).sum()
    return difference / (a.shape[1] * weights.sum()).clamp_min(torch.finfo(wide).tiny)


def ssim(a: Tensor, b: Tensor, *, window: int = SSIM_WINDOW, per_image: bool = False) -> Tensor:
    """Structural similarity (Wang et al. 2004, Eq. 13), the mean over positions and RGB.

    The window is Gaussian with a deviation of 1.5 pixels. SSIM compares means as ratios, so it
    must see light as a positive quantity: the images are brought to [0, 1] first.

    Args:
        a: Images ``[N, 3, h, w]`` in [-1, 1].
        b: The same shape.
        window: Side of the window in pixels, odd. Smaller images get the largest that fits.
        per_image: Whether to return one number an image instead of their mean.

    Returns:
        A scalar, or ``[N]``: 1 for equal images, at least -1. Differentiable once in both.

    Raises:
        ShapeError: If the shapes differ.
    """
    if a.dim() != 4 or a.shape != b.shape:
        raise ShapeError(
            "SSIM: the shapes do not fit", got=_shapes(a, b), expected="[N, 3, h, w] twice"
        )
    side = min(a.shape[2:])
    fitting = min(window, side - 1 + side % 2)
    taps = _gaussian(fitting, a.shape[1], a.device, a.dtype)
    similarity: Tensor = pytorch_msssim.ssim(
        (a + 1) / 2, (b + 1) / 2, data_range=1.0, win=taps, size_average=not per_image
    )
    return similarity


@cache
def _gaussian(side: int, channels: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """SSIM's window along one axis, ``[channels, 1, 1, side]``; kept where it is needed.

    A recorded step must find it on the GPU, where nothing can be sent to meanwhile, and reads it as
    long as it is replayed: it is never dropped.
    """
    with torch.inference_mode(mode=False):  # so that a gradient may be taken later
        place = torch.arange(side, dtype=torch.float32) - side // 2
        taps = torch.exp(-place.square() / (2 * _SSIM_DEVIATION**2))
        taps = (taps / taps.sum()).repeat(channels, 1, 1, 1)
        return taps.to(device, dtype)


def ssim_loss(
    a: Tensor, b: Tensor, *, window: int = SSIM_WINDOW, per_image: bool = False
) -> Tensor:
    """``1 - SSIM``: 0 for equal images, at most 2. Arguments and errors are those of `ssim`."""
    return 1 - ssim(a, b, window=window, per_image=per_image)


def generator_loss(fake_logits: Tensor, weights: Tensor | None = None) -> Tensor:
    """``E softplus(-D(G(z)))``, non-saturating (Goodfellow et al. 2014, section 3), a scalar.

    Args:
        fake_logits: D's logits of fake images or features, of any shape.
        weights: Weight of each logit, ``[N, 1, h, w]`` for logits of that shape; None weights all
            equally.

    Example:
        >>> round(generator_loss(torch.zeros(4, 1)).item(), 4)  # log 2
        0.6931
    """
    return _mean(F.softplus(-fake_logits), weights)


def discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, fake_weights: Tensor | None = None
) -> Tensor:
    """``E softplus(-D(x)) + E softplus(D(G(z)))`` (Goodfellow et al. 2014, Eq. 1), a scalar.

    Args:
        real_logits: D's logits of real images or features, of any shape.
        fake_logits: D's logits of fake images or features.
        fake_weights: Weight of each of the latter, as in `generator_loss`.
    """
    return F.softplus(-real_logits).mean() + _mean(F.softplus(fake_logits), fake_weights)


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """``E |grad D(x)|^2 / 2`` at real x (Mescheder et al. 2018, Eq. 9), to be scaled by gamma.

    Args:
        real_logits: Computed from `real`; several logits of one x are summed. Where x is
            augmented on the way, the gradient is that of what D sees, by x before the
            augmentation (Zhao et al. 2020).
        real: Images or features ``[N, C, h, w]``, requiring a gradient.

    Returns:
        A scalar, differentiable in D's parameters once.
    """
    (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2


def _mean(x: Tensor, weights: Tensor | None) -> Tensor:
    return x.mean() if weights is None else weighted_l1(x, torch.zeros_like(x), weights)


def _shapes(*tensors: Tensor | None) -> str:
    return " and ".join(str(list(tensor.shape)) for tensor in tensors if tensor is not None)
