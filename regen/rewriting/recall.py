"""How well a memory recalls what it shall, and what else it must keep.

Shapes: N samples; P preserved samples; C, h, w the value; R side of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.protocol import Activation


@dataclass(frozen=True)
class Preserved:
    """Samples of the generator that must stay as they are.

    Attributes:
        keys: P samples.
        values: Their values, ``[P, C, h, w]``.
        pictures: Their pictures, ``[P, 3, R, R]``.
        keep: Where they must stay, at the value's size, ``[P, 1, h, w]`` in [0, 1].
        picture_keep: The same at the picture's size, ``[P, 1, R, R]``.
    """

    keys: Activation
    values: Tensor
    pictures: Tensor
    keep: Tensor
    picture_keep: Tensor

    def __len__(self) -> int:
        return len(self.values)


def recall_error(recalled: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean absolute difference, averaged over channels, in float32 or wider.

    Args:
        recalled: What the memory answers, ``[N, C, h, w]``.
        wanted: What it shall answer, ``[N, C, h, w]``.
        weights: Importance of each position, ``[N, 1, h, w]``, at least 0.

    Returns:
        A scalar in the units of `recalled`, differentiable in it.

    Raises:
        RewriteError: If `recalled` and `wanted` differ in shape.

    Example:
        >>> weights = torch.tensor([[[[3.0, 0.0]]]])  # the second position is free
        >>> recall_error(torch.tensor([[[[1.0, 9.0]]]]), torch.zeros(1, 1, 1, 2), weights).item()
        1.0
    """
    if recalled.shape != wanted.shape:
        raise RewriteError(
            "memory and rule differ in shape",
            got=f"recalled {list(recalled.shape)}",
            expected=f"{list(wanted.shape)}",
            remedy="was the rule made for another value layer?",
        )
    wide = torch.promote_types(recalled.dtype, torch.float32)
    error = (weights * (recalled.to(wide) - wanted.to(wide)).abs()).sum()
    return error / (wanted.shape[1] * weights.sum().clamp_min(1e-8))
