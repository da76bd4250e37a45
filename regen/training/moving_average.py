"""The moving average of a network's weights, which is the result of a training."""

from __future__ import annotations

import torch
from torch import nn

_RAMP = 0.05  # early on, the half-life is this share of the images seen


@torch.no_grad()
def update_average(
    average: nn.Module,
    network: nn.Module,
    *,
    seen_images: int,
    batch_images: int,
    halflife_kimg: float,
) -> None:
    """Move the average towards the network by one step's share, in place.

    Once it has its full length, the average goes half of the way to a network that no longer
    changes in `halflife_kimg`. Before that the half-life grows with the training, so that the
    initial weights are soon forgotten, as in the published code of Karras et al. 2020 ("ADA").

    Args:
        average: Of the same architecture as `network`. Its parameters change, its buffers do not.
        network: What is trained.
        seen_images: Images of all steps so far, the last one included.
        batch_images: Images of the last step.
        halflife_kimg: Half-life in thousands of images, from 0; 0 copies the network.
    """
    halflife = min(halflife_kimg * 1000, _RAMP * seen_images)
    share = 1 - 0.5 ** (batch_images / max(halflife, 1e-8))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), share)
