"""What an inpainted image is a function of, and what its tail needs beside the features.

Shapes: N samples; H, W height and width of the image; h, w size of the merged features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class FillLatent:
    """Images and where they are known.

    Attributes:
        images: ``[N, 3, H, W]`` in [-1, 1]; what is in the hole is never looked at.
        known: 1 where pixels are known and 0 in the hole, ``[N, 1, H, W]``.
    """

    images: Tensor
    known: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def select(self, index: Tensor | Sequence[int]) -> FillLatent:
        """The samples ``index``, in this order; repetitions are allowed."""
        index = torch.as_tensor(index, dtype=torch.int64, device=self.images.device)
        return FillLatent(self.images[index], self.known[index])

    def to(self, device: torch.device) -> FillLatent:
        """The same on a device."""
        return FillLatent(self.images.to(device), self.known.to(device))

    @property
    def seen(self) -> Tensor:
        """What the network sees: ``[N, 3, H, W]`` in [0, 1], 0 in the hole."""
        return (self.images + 1) / 2 * self.known

    def completed(self, filled: Tensor) -> Tensor:
        """The images, bit for bit where they are known, with the network's result in the hole.

        Args:
            filled: ``[N, 3, H, W]``, nominally in [0, 1].
        """
        return torch.where(self.known > 0, self.images, filled.to(self.images.dtype) * 2 - 1)


@dataclass(frozen=True)
class FillContext:
    """What the tail needs beside the features.

    Attributes:
        latent: The images and where they are known.
        found: Where the merged features are known, ``[N, 1, h, w]``.
    """

    latent: FillLatent
    found: Tensor

    def select(self, index: Tensor) -> FillContext:
        """The context of the samples `index`."""
        return FillContext(self.latent.select(index), self.found[index])

    def join(self, others: Sequence[FillContext]) -> FillContext:
        """This context's samples followed by those of `others`."""
        all_of = [self, *others]
        images = torch.cat([context.latent.images for context in all_of])
        known = torch.cat([context.latent.known for context in all_of])
        return FillContext(FillLatent(images, known), torch.cat([c.found for c in all_of]))

    def detach(self) -> FillContext:
        """The same context outside of any autograd graph."""
        latent = FillLatent(self.latent.images.detach(), self.latent.known.detach())
        return FillContext(latent, self.found.detach())
