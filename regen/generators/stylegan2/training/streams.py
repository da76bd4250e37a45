"""Everything random in a training, as a function of the seed and the number of an image.

Image i of a training gets its z, noise and augmentation from generators seeded by (seed, purpose,
i), so nothing needs to be remembered to resume from a checkpoint, and processes that share a batch
use the numbers of one process. On the CPU the numbers are equal on every machine.

A GPU would wait for so many small requests: there, the images of one process in one step get theirs
at once, from a generator seeded by the first of them. Resuming is as exact, with as many processes.

Shapes: N images of this process; L convolutions; Z dimensions of z; R side of an image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.augmentation import NUMBERS, random_numbers

# Purposes of the two augmentations. Like all purposes they are part of the seed, so renaming one
# would change what an earlier checkpoint resumes to.
REAL, FAKE = "real", "drawn"


def numbered(random: torch.Generator, seed: int, purpose: str, index: int) -> torch.Generator:
    """`random`, seeded anew for one purpose and image; equal arguments give equal numbers."""
    name = f"{seed}/{purpose}/{index}".encode()
    digest = hashlib.blake2b(name, digest_size=8).digest()
    return random.manual_seed(int.from_bytes(digest, "little") >> 1)


@dataclass(frozen=True)
class Latents:
    """Inputs of the generator for the samples of one step.

    Attributes:
        z: ``[N, Z]``, standard normal.
        other_z: The z of the styles from layer `crossover` on, ``[N, Z]``.
        crossover: Layers that follow `z`, int64 ``[N]``, 1 to L + 1; L + 1 mixes nothing.
        noise: One standard normal tensor for each convolution, ``[N, 1, r, r]``.
    """

    z: Tensor
    other_z: Tensor
    crossover: Tensor
    noise: tuple[Tensor, ...]


class Streams:
    """Numbers for images, on a device.

    Args:
        seed: Of the training.
        config: The generator's architecture.
        device: Where noise is generated and all tensors go.
        at_once: Whether the images of a step get their numbers together; by default on a GPU.
    """

    def __init__(
        self,
        seed: int,
        config: StyleGAN2Config,
        device: torch.device,
        *,
        at_once: bool | None = None,
    ) -> None:
        self._at_once = device.type == "cuda" if at_once is None else at_once
        self.seed, self.config, self.device = seed, config, device
        self._cpu = torch.Generator()
        self._random = torch.Generator(device=device)
        layers = range(1, config.convolutions + 1)
        self._sides = [config.resolution_of(layer) for layer in layers]

    def latents(self, images: Sequence[int], mixing: float) -> Latents:
        """Inputs for the samples of these numbers; a share `mixing` has mixed styles."""
        if self._at_once:
            return self._latents_at_once(images, mixing)
        z = torch.empty(len(images), 2, self.config.z_dim)
        crossover = torch.empty(len(images), dtype=torch.int64)
        flat = torch.empty(len(images), sum(s * s for s in self._sides), device=self.device)
        layers = self.config.convolutions + 1
        for row, index in enumerate(images):
            random = numbered(self._cpu, self.seed, "z", index)
            torch.randn(2, self.config.z_dim, generator=random, out=z[row])
            mixed, where = torch.rand(2, generator=random).tolist()
            crossover[row] = 1 + int(where * (layers - 1)) if mixed < mixing else layers
            random = numbered(self._random, self.seed, "noise", index)
            torch.randn(flat.shape[1], generator=random, out=flat[row])
        z = z.to(self.device)
        return Latents(z[:, 0], z[:, 1], crossover.to(self.device), self._noise(flat))

    def _latents_at_once(self, images: Sequence[int], mixing: float) -> Latents:
        random = numbered(self._random, self.seed, "latents", images[0])
        layers, count = self.config.convolutions + 1, len(images)
        here: Any = {"generator": random, "device": self.device}
        z = torch.randn(2, count, self.config.z_dim, **here)
        mixed, where = torch.rand(2, count, **here)
        crossed = 1 + (where * (layers - 1)).floor().long()
        crossover = torch.where(mixed < mixing, crossed, layers)
        flat = torch.randn(count, sum(s * s for s in self._sides), **here)
        return Latents(z[0], z[1], crossover, self._noise(flat))

    def _noise(self, flat: Tensor) -> tuple[Tensor, ...]:
        """Noise of each convolution, ``[N, 1, r, r]``, of numbers ``[N, sum of r^2]``."""
        parts = torch.split(flat, [s * s for s in self._sides], dim=1)
        return tuple(p.reshape(-1, 1, s, s) for p, s in zip(parts, self._sides, strict=True))

    def augmentation(self, images: Sequence[int], purpose: str) -> Tensor:
        """Numbers ``[N, 7]`` for `augment`; `purpose` is `REAL` or `FAKE`."""
        if self._at_once:
            random = numbered(self._random, self.seed, purpose, images[0])
            return torch.rand(len(images), NUMBERS, generator=random, device=self.device)
        rows = [random_numbers(1, numbered(self._cpu, self.seed, purpose, i)) for i in images]
        return torch.cat(rows).to(self.device)

    def direction(self, images: Sequence[int], size: int) -> Tensor:
        """Standard normal ``[N, 3, size, size]``, for path lengths."""
        y = torch.empty(len(images), 3, size, size, device=self.device)
        if self._at_once:
            return y.normal_(generator=numbered(self._random, self.seed, "direction", images[0]))
        for row, index in enumerate(images):
            torch.randn(
                y.shape[1:],
                generator=numbered(self._random, self.seed, "direction", index),
                out=y[row],
            )
        return y
