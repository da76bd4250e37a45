"""How far into a hole a network reaches: each partial convolution narrows it by half its kernel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.rfr.network import RFR, cropped, padded


@torch.no_grad()
def reached(network: RFR, known: Tensor) -> Tensor:
    """Where the last round knows something, so that it is filled with more than grey.

    Args:
        network: Whose kernels and rounds count; its weights do not.
        known: ``[N, 1, H, W]``.

    Returns:
        1 where it does and 0 elsewhere, ``[N, 1, H, W]``; 1 wherever `known` is.
    """
    mask = network.second.covered(network.first.covered(padded(known)))
    for _ in range(network.config.rounds):
        for convolution in network.narrowing_convolutions():
            mask = convolution.covered(mask)
    return torch.maximum(cropped(F.interpolate(mask, scale_factor=2.0), known), known)
