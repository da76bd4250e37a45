"""Gradients in the memory format of what they change."""

from __future__ import annotations

import torch
from torch import Tensor


def laid_out_as(gradient: Tensor, variable: Tensor) -> Tensor:
    """The gradient in the variable's memory format, which fused updates take for granted."""
    if gradient.stride() == variable.stride():
        return gradient
    return torch.empty_like(variable).copy_(gradient)
