"""What the backward projector is trained to do: three losses, each a mean over the batch.

*Feature L1* compares features, in normalised units: 1 is one standard deviation of a channel over
the generator's values. *Adversarial* is the non-saturating loss of Goodfellow et al. 2014 with the
R1 penalty of Mescheder et al. 2018. The *semi-cycle* decodes the features with the generator's tail
and compares images, by L1 and by SSIM (Wang et al. 2004).
"""

from __future__ import annotations

import pytorch_msssim
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.errors import ProjectorError

_WINDOW = 11  # side of SSIM's Gaussian window, where the image is that large


def weighted_l1(a: Tensor, b: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean absolute difference of ``a`` and ``b [N, C, h, w]``, a scalar.

    Args:
        a: Features or images.
        b: The same shape.
        weights: Importance ``[N, 1, h, w]`` of each position, from 0. None for all alike.

    Returns:
        ``sum(weights |a - b|) / (C sum(weights))``, and 0 where all weights are 0.

    Raises:
        ProjectorError: If the shapes do not fit.

    Example:
        >>> weights = torch.tensor([[[[3.0, 0.0]]]])  # the second position is free
        >>> weighted_l1(torch.tensor([[[[1.0, 9.0]]]]), torch.zeros(1, 1, 1, 2), weights).item()
        1.0
    """
    if a.shape != b.shape or (weights is not None and weights[:, :1].shape != a[:, :1].shape):
        shapes = [list(t.shape) for t in (a, b, weights) if t is not None]
        raise ProjectorError("L1: the shapes do not fit", got=shapes, expected="[N, C, h, w] twice")
    if weights is None:
        return F.l1_loss(a, b)
    difference = (weights * (a - b).abs()).sum()
    return difference / (a.shape[1] * weights.sum()).clamp_min(torch.finfo(a.dtype).tiny)


def adversarial_loss(logits_of_projected: Tensor, weights: Tensor | None = None) -> Tensor:
    """What B minimises: ``softplus(-D(B(x)))``, at the places of ``weights [N, 1, h', h']``."""
    return _mean(F.softplus(-logits_of_projected), weights)


def discriminator_loss(
    logits_of_true: Tensor, logits_of_projected: Tensor, weights: Tensor | None = None
) -> Tensor:
    """What D minimises: ``softplus(-D(v)) + softplus(D(B(x)))``, the latter with `weights`."""
    return F.softplus(-logits_of_true).mean() + _mean(F.softplus(logits_of_projected), weights)


def _mean(x: Tensor, weights: Tensor | None) -> Tensor:
    return x.mean() if weights is None else weighted_l1(x, torch.zeros_like(x), weights)


def r1_penalty(discriminator: nn.Module, true: Tensor) -> Tensor:
    """``E |grad D(v)|^2 / 2`` at true features ``v [N, C, h, w]``; D's logits of one v are summed.

    Differentiable in the parameters of `discriminator`, once.
    """
    true = true.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(true).sum(), true, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2


def dissimilarity(a: Tensor, b: Tensor) -> Tensor:
    """1 - SSIM of images ``[N, 3, R, R]`` in [-1, 1], a scalar from 0 to 2.

    SSIM compares means as ratios, so the images are brought to [0, 1] first. Images smaller
    than its window of 11 pixels get a window that fits.

    Raises:
        ProjectorError: If the shapes differ.
    """
    if a.shape != b.shape:
        raise ProjectorError("SSIM", got=f"{list(a.shape)} and {list(b.shape)}", expected="a pair")
    side = min(a.shape[2:])
    window = min(_WINDOW, side - 1 + side % 2)
    similarity: Tensor = pytorch_msssim.ssim(
        (a + 1) / 2, (b + 1) / 2, data_range=1.0, win_size=window
    )
    return 1 - similarity
