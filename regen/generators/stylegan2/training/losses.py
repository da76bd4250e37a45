"""The path length penalty of StyleGAN2; the losses it shares with other GANs are in `regen.losses`.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 3.2: a
step in w of a fixed length should change the image by a fixed amount a, the running mean of the
changes so far.

Shapes: N images; R side of an image; L convolutions; W dimensions of w.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


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
