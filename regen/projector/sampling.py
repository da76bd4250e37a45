"""Training images made on the fly: samples of the generator, their values, and pastes.

Shapes: N images of a batch; R side of an image; C, h channels and side of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.protocol import Activation, Generator, Latent, Split, value_of
from regen.projector.composites import composite
from regen.projector.settings import ProjectorTrainingSettings
from regen.seeds import VALUE_STATISTICS

_LARGEST_SEED = 2**31


@dataclass(frozen=True)
class Batch:
    """What B sees in one step, and what it is compared with.

    Attributes:
        image: ``[N, 3, R, R]`` in [-1, 1], pastes included.
        pasted: Where something foreign was pasted, ``[N, 1, R, R]`` in [0, 1].
        kept: Where `value` still holds for the image, ``[N, 1, h, h]``, 0 or 1.
        value: The sample's own value ``[N, C, h, h]``, in the precision of training.
    """

    image: Tensor
    pasted: Tensor
    kept: Tensor
    value: Activation


def kept_positions(pasted: Tensor, size: int) -> Tensor:
    """Positions of the value, 1 or 0, that no paste reaches, with one cell to spare.

    Args:
        pasted: Masks ``[N, 1, R, R]`` in [0, 1].
        size: Side h of the value, at most R.

    Returns:
        ``[N, 1, h, h]``, float32.

    Example:
        >>> pasted = torch.zeros(1, 1, 8, 8)
        >>> pasted[..., 7, 7] = 1
        >>> kept_positions(pasted, 4)[0, 0].int().tolist()
        [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    """
    reached = F.max_pool2d(F.adaptive_max_pool2d(pasted, size), 3, stride=1, padding=1)
    return (reached < 0.02).float()


class Sampler:
    """Draws batches. All randomness comes from `random`, whose state can be saved.

    Args:
        generator: In eval mode, its parameters frozen.
        split: The same generator, cut at the value layer.
        config: Batch, composites, context and truncation are used.
        count: Images in a batch of this process.
        seed: Of this process.
        extra: Images ``[M, 3, R, R]`` to paste pieces of, or None.
    """

    def __init__(
        self,
        generator: Generator[Latent],
        split: Split[Latent],
        config: ProjectorTrainingSettings,
        *,
        count: int,
        seed: int,
        extra: Tensor | None = None,
    ) -> None:
        self.generator, self.split, self.config = generator, split, config
        self.count, self.extra = count, extra
        self.random = torch.Generator().manual_seed(seed)
        self._mean: Activation | None = None

    @torch.no_grad()
    def draw(self) -> Batch:
        """The next batch."""
        seeds = torch.randint(_LARGEST_SEED, [self.count], generator=self.random).tolist()
        low, high = self.config.truncation
        psi = torch.rand(self.count, generator=self.random) * (high - low) + low
        value = value_of(self.split, self.generator.latents(seeds, psi.tolist()))
        plain = self.split.tail(value)
        image, pasted = self._pasted(plain.float())
        return Batch(image, pasted, kept_positions(pasted, self.split.value_size[0]), value)

    def _pasted(self, plain: Tensor) -> tuple[Tensor, Tensor]:
        """Composites of the first images of a batch, and the rest as they are."""
        many = round(self.config.composites * len(plain))
        none = torch.zeros_like(plain[:, :1])
        if many == 0:
            return plain, none
        image, pasted = composite(
            plain[:many], self.random, config=self.config.pastes, extra=self.extra
        )
        return torch.cat([image, plain[many:]]), torch.cat([pasted, none[many:]])

    @torch.no_grad()
    def decoding_context(self, value: Activation) -> Activation:
        """The activation whose context decodes B's answer to `value`'s images."""
        count = len(value.features)
        if self.config.context == "own":
            return value
        if self.config.context == "swap":
            return value.select([(i + 1) % count for i in range(count)])
        if self._mean is None:
            self._mean = value_of(self.split, self.generator.latents([0], 0.0))
        return self._mean.select([0] * count)

    @torch.no_grad()
    def statistics(self, samples: int = 256) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the value, ``[1, C, 1, 1]`` each."""
        psi = sum(self.config.truncation) / 2
        mean = square = torch.zeros([])
        indices = VALUE_STATISTICS.take(samples)
        for first in range(0, samples, 16):
            seeds = indices[first : first + 16]
            values = value_of(self.split, self.generator.latents(seeds, psi)).features.float()
            share = len(values) / samples
            mean = mean + share * values.mean(dim=(0, 2, 3))
            square = square + share * values.square().mean(dim=(0, 2, 3))
        std = (square - mean.square()).clamp_min(0).sqrt()
        std = std.clamp_min(1e-3 * float(std.max()) or 1.0)  # a channel that never changes
        return mean.reshape(1, -1, 1, 1), std.reshape(1, -1, 1, 1)
