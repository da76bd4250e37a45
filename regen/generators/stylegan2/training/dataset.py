"""Real images in an order that depends only on the seed.

Each epoch shows every image once, in an order of its own, so what image i of a training is can
be computed from i alone; see `regen.generators.stylegan2.training.streams`.

Shapes: M images of the folder; N of this process in one step; S their side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from regen.generators.stylegan2.training.streams import numbered


class Dataset:
    """Images in memory, taken by number.

    Args:
        images: uint8 ``[M, 3, S, S]``.
        seed: Of the training.
        flip_probability: Share of the images that are shown mirrored.
        device: Where batches go. Where this is a GPU with four times the memory that the images
            take, they stay there.
    """

    def __init__(
        self, images: Tensor, *, seed: int, flip_probability: float, device: torch.device
    ) -> None:
        self.images = images.to(device) if _fits(images, device) else images
        self.seed, self.device = seed, device
        self.flip_probability = flip_probability
        self._random = torch.Generator()
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.images)

    def index(self, number: int) -> int:
        """Which image, 0 to M - 1, is number `number` of the training."""
        epoch, position = divmod(number, len(self.images))
        if epoch != self._epoch:
            random = numbered(self._random, self.seed, "epoch", epoch)
            self._epoch = epoch
            self._order = torch.randperm(len(self.images), generator=random)
        return int(self._order[position])

    def batch(self, numbers: Sequence[int]) -> Tensor:
        """Images of these numbers, ``[N, 3, S, S]`` in [-1, 1], some of them mirrored."""
        place = self.images.device
        chosen = self.images[torch.tensor([self.index(n) for n in numbers]).to(place)]
        flips = torch.tensor([self._flipped(number) for number in numbers]).to(place)
        chosen = torch.where(flips[:, None, None, None], chosen.flip(3), chosen)
        return chosen.to(self.device).float().div_(127.5).sub_(1)

    def _flipped(self, number: int) -> bool:
        random = numbered(self._random, self.seed, "flip", number)
        return float(torch.rand([], generator=random)) < self.flip_probability


def _fits(images: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return 4 * images.nbytes <= free
