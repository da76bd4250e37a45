"""A small convolutional discriminator that judges patches, for the last phase of training."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Discriminator(nn.Module):
    """Images ``[N, 3, R, R]`` in [-1, 1] to logits of patches ``[N, 1, R/16, R/16]``."""

    def __init__(self, resolution: int, channels: tuple[int, ...] = (16, 32, 64, 96)) -> None:
        super().__init__()
        sizes = (3, *channels)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip(sizes, channels, strict=False)
        )
        self.last = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; positive means "drawn by the renderer"."""
        x = x.contiguous(memory_format=torch.channels_last)
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        logits: Tensor = self.last(x)
        return logits
