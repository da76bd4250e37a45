"""What generator and discriminator are trained to do, each a pure function of tensors.

*Non-saturating logistic loss*: Goodfellow et al. 2014. *R1*: Mescheder et al. 2018, on real
images. *Path length*: Karras et al. 2020, section 3.2: a step in w of a fixed length shall change
the image by a fixed amount, a, the running mean of what it does.

Shapes: N images; R side of an image; L convolutions; W dimensions of w.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(logits_of_drawn: Tensor) -> Tensor:
    """``E softplus(-D(G(z)))``, a scalar.

    Example:
        >>> round(generator_loss(torch.zeros(4, 1)).item(), 4) == round(math.log(2), 4)
        True
    """
    return F.softplus(-logits_of_drawn).mean()


def discriminator_loss(logits_of_real: Tensor, logits_of_drawn: Tensor) -> Tensor:
    """``E softplus(-D(x)) + E softplus(D(G(z)))``, a scalar."""
    return F.softplus(-logits_of_real).mean() + F.softplus(logits_of_drawn).mean()


def r1_penalty(logits_of_real: Tensor, real: Tensor) -> Tensor:
    """``E |grad D(x)|^2 / 2`` at real images x, to be multiplied by gamma.

    Args:
        logits_of_real: ``[N, 1]``, computed from `real`, by way of the augmentation if there is
            any: the gradient is that of what D is shown, by the image before (Zhao et al. 2020).
        real: ``[N, 3, R, R]``, requiring a gradient.

    Returns:
        A scalar, differentiable in D's parameters.
    """
    (gradient,) = torch.autograd.grad(logits_of_real.sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2


def path_lengths(images: Tensor, ws: Tensor, noise: Tensor) -> Tensor:
    """``|J^T y|`` of each image: how much it changes with w, in a random direction y.

    Args:
        images: ``[N, 3, R, R]``, computed from `ws`.
        ws: Style codes ``[N, L + 1, W]``, inside the graph.
        noise: y before it is scaled, standard normal, the shape of `images`. Dividing it by R
            makes lengths independent of the size of the images.

    Returns:
        ``[N]``: norms over W of the root mean square over layers, differentiable in the
        generator's parameters.
    """
    direction = noise / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * direction).sum(), ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def updated_mean(mean: Tensor, lengths: Tensor, decay: float) -> Tensor:
    """The running mean a with a share `decay` of new lengths ``[N]``, outside of any graph."""
    return mean.lerp(lengths.detach().mean(), decay)


def path_length_penalty(lengths: Tensor, mean: Tensor) -> Tensor:
    """``E (|J^T y| - a)^2`` of lengths ``[N]`` and their running mean a, a scalar.

    Example:
        >>> path_length_penalty(torch.tensor([1.0, 3.0]), torch.tensor(2.0)).item()
        1.0
    """
    return (lengths - mean).square().mean()
