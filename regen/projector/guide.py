"""What B sees beside an image: where the generator can change it at all.

A generator that fills holes computes other features in a hole than around it, and an image without
its hole does not say where that is. So B is given the hole as a further channel.
"""

from __future__ import annotations

import torch
from torch import Tensor


def guided(images: Tensor, guide: Tensor | None) -> Tensor:
    """What B takes.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        guide: Where each can change, ``[N, 1, H, W]`` of 0 and 1, as `Generator.changeable` gives
            it; None for everywhere.

    Returns:
        ``[N, 4, H, W]``, or the images.
    """
    return images if guide is None else torch.cat([images, guide.to(images)], dim=1)
